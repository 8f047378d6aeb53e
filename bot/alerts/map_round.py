"""One recompute of one market before every kind of rule that looks at maps."""

from collections.abc import Callable, Sequence
from functools import partial

from bot.alerts import breakout, concentration, exposure, flip, stop_hunt, swept
from bot.alerts.judge import Figures, Measure, Measured
from bot.alerts.kinds import AFTER_SWEEPS
from bot.alerts.market_book import MarketBook
from bot.alerts.matching import Watch
from bot.alerts.pulse import Pulse
from bot.alerts.readings import Liquidation, MapReading
from bot.alerts.types import CloseReason, Kind, Track
from bot.alerts.verdicts import Verdicts
from bot.liquidation.types import Cluster
from bot.liquidation.values import replace

PRINTED_WITHIN = 0.003
"""A liquidation is closed at worse prices than where it was triggered: so far beyond a body it still counts to it."""

_SWEPT, _FLIP, _CONCENTRATION = Measure(Kind.SWEPT), Measure(Kind.FLIP), Measure(Kind.CONCENTRATION)


class MapRound:
    """Judges one reading of a market, track by track. `watches` gathers what was looked at, `pulse` what is usual now.

    `slot_ms` is the usual time between recomputes.
    """

    def __init__(self, book: MarketBook, reading: MapReading, verdicts: Verdicts, *, slot_ms: int) -> None:
        self.watches: list[Watch] = []
        self.pulse: Pulse | None = None
        self._book = book
        self._reading = reading
        self._verdicts = verdicts
        self._slot_ms = slot_ms

    def judge(self, tracks: Sequence[Track]) -> None:
        """The tracks of this recompute, those ended among them, then what follows sweeps, then the market itself."""
        swept_now: list[Track] = []
        for track in tracks:
            if track.closed is not None:
                self._end(track)
                if track.closed is CloseReason.SWEPT:
                    swept_now.append(replace(track, cluster=track.at_best))
            elif track.missed == 0:
                self._look_at(track)
        if swept_now or self._book.fallen:
            self._look_back(swept_now)
        self._look_at_levels()
        self._look_at_market()

    def _end(self, track: Track) -> None:
        """A track that ended: a sweep that no tick has shown is told, then its states are closed."""
        if track.closed is CloseReason.SWEPT and _SWEPT in self._book.columns():
            printed = printed_within(self._book.printed, track.cluster)
            was = replace(track, cluster=track.at_best)
            self._ask(_SWEPT, self._measured(was, 0.0, printed))
        self._verdicts.close(self._book, track, time_ms=self._reading.slot_ms)

    def _look_at(self, track: Track) -> None:
        """Whether the track is new or has grown."""
        post = self._book.map_post(track.id, seen_ms=self._reading.slot_ms)
        for watch, metric in post.look(track, self._reading.slot_ms):
            self._put(watch, metric, partial(self._measured, track, metric))

    def _look_at_levels(self) -> None:
        """Whether it has become crowded where positions of our own would be liquidated."""
        reading, own = self._reading, self._book.levels()
        if reading.whole is None or not own.rules:
            return
        if not own.any_within(*reading.whole.reach, price=reading.price):
            return
        if not own.any_crowded(reading.whole.most_crowded(own.levels), reading.slot_ms):
            return
        for rule, crowding in own.crowded(reading.whole.crowdings(own.levels), reading.slot_ms):
            measured = exposure.crowd(rule, crowding, slot_ms=reading.slot_ms, price=reading.price)
            self._verdicts.judge(
                self._book, exposure.CROWDS, rule, measured, unseen_ms=0, event_ms=reading.now_ms, reading=reading
            )

    def _look_back(self, swept: Sequence[Track]) -> None:
        """What became of the sweeps of this recompute and of those remembered, which nobody waits for in the end."""
        past = self._book.past(self._reading.slot_ms)
        for track in (*self._book.fallen.values(), *swept):
            if track in past:
                self._verdicts.close(self._book, track, time_ms=self._reading.slot_ms)
            else:
                self._look_after(track)

    def _look_after(self, track: Track) -> None:
        """What price does after a sweep, by the closes of bars."""
        slot_ms, price = self._reading.slot_ms, self._reading.price
        for measure in self._book.measures(AFTER_SWEEPS):
            if measure.kind is Kind.BREAKOUT:
                self._ask(measure, self._measured(track, breakout.metric(track, price=price, slot_ms=slot_ms)))
                continue
            metric = stop_hunt.metric(track, price=price, slot_ms=slot_ms, window_ms=measure.window_ms)
            after_ms = slot_ms - track.closed_ms + self._slot_ms
            self._ask(measure, self._measured(track, metric, ((stop_hunt.AFTER, float(after_ms)),)))

    def _look_at_market(self) -> None:
        whole, book, slot_ms, price = self._reading.whole, self._book, self._reading.slot_ms, self._reading.price
        if whole is None:
            return
        pulse, evenness = book.pulse, whole.evenness
        if (calm := book.calm(_FLIP, flip.MATTERS, seen_ms=slot_ms)) is not None:
            near_usd = whole.standing_near
            if (lead := flip.metric(near_usd)) is not None and not calm[0] < lead < calm[1]:
                for measured in flip.measure(near_usd=near_usd, slot_ms=slot_ms, price=price):
                    self._ask(_FLIP, measured)
        if (calm := book.calm(_CONCENTRATION, concentration.MATTERS, seen_ms=slot_ms)) is not None:
            deviation = pulse.band.deviation(evenness)
            if deviation is not None and not calm[0] < deviation < calm[1]:
                for measured in concentration.measure(deviation, slot_ms=slot_ms, price=price):
                    self._ask(_CONCENTRATION, measured)
        self.pulse = Pulse(pulse.market, slot_ms, pulse.band.with_sample(evenness), pulse.minutes)

    def _unseen_ms(self, watch: Watch) -> int:
        """How long nobody has looked, beyond the usual pace."""
        return max(0, self._reading.slot_ms - watch.seen_ms - 2 * self._slot_ms)

    def _measured(self, track: Track, metric: float | None, figures: Figures = ()) -> Measured:
        reading = self._reading
        return Measured(
            track,
            reading.slot_ms,
            reading.price,
            metric,
            figures=figures,
            volatility=reading.volatility,
            marks=reading.marks,
        )

    def _ask(self, measure: Measure, measured: Measured) -> None:
        """Put what was measured before the rules that it may concern."""
        if measured.metric is not None:
            watch = self._book.watch(measure, measured.track_id, seen_ms=self._reading.slot_ms)
            watch.meet(measured.body)
            self._put(watch, measured.metric, lambda: measured)

    def _put(self, watch: Watch, metric: float, look: Callable[[], Measured]) -> None:
        """Put what was measured before a column of rules; `look` gives the rest of it, where the metric wakes any."""
        slot_ms = self._reading.slot_ms
        self.watches.append(watch)
        unseen_ms = self._unseen_ms(watch)
        if not watch.wakes(metric, slot_ms, unseen_ms=unseen_ms):
            return
        measured = look()
        self._verdicts.judge_column(
            self._book,
            watch.column,
            watch.candidates(metric, measured.body, slot_ms, unseen_ms=unseen_ms),
            measured,
            unseen_ms=unseen_ms,
            event_ms=self._reading.now_ms,
            reading=self._reading,
        )


def printed_within(printed: Sequence[Liquidation] | None, cluster: Cluster) -> Figures:
    """What the venue printed of a body's side within it lately; nothing where it is not heard."""
    if printed is None:
        return ()
    low, high = cluster.low * (1.0 - PRINTED_WITHIN), cluster.high * (1.0 + PRINTED_WITHIN)
    usd = sum(one.usd for one in printed if one.side is cluster.side and low <= one.price <= high)
    return ((swept.REALISED, usd),)
