"""The judge in memory, the same for the live bot and for a replay.

It is told of maps and of price ticks and answers with `Changes`: what to remember and what to send. It applies none
of them by itself: the caller commits them in one transaction and then calls `apply`, so that a failed commit loses
nothing and the same is found again. One evaluation at a time: evaluate, commit, apply.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from bot.alerts import cascade
from bot.alerts.calendar import Calendar
from bot.alerts.clock_round import ClockRound
from bot.alerts.digest import DayOf
from bot.alerts.fronts import Fronts, Seen
from bot.alerts.kinds import WATCHABLE
from bot.alerts.map_round import MapRound
from bot.alerts.market_book import MarketBook
from bot.alerts.matching import Watch
from bot.alerts.print_round import CASCADES, awaits_look, judge_prints, may_await_look
from bot.alerts.pulse import Pulse
from bot.alerts.readings import FirstLook, Liquidation, MapReading, Standing, Work
from bot.alerts.silence import Silence, why_silent
from bot.alerts.splits import inherited
from bot.alerts.standing import find_nearest, take_edited_look, take_first_look
from bot.alerts.tick_board import Look
from bot.alerts.tick_round import TickRound, judge_approaches
from bot.alerts.tracks import GRACE, match
from bot.alerts.types import EVERYWHERE, Changes, Market, Phase, Rule, RuleState, Track
from bot.alerts.verdicts import BREAKER_FIRINGS, Verdicts
from bot.liquidation.types import Floats, Ints
from bot.liquidation.values import replace

STALE_TICKS = 3
"""A price older than so many ticks is no data."""


class _MapSeen(Struct, frozen=True):
    """A recompute that has been judged, before it is committed."""

    reading: MapReading
    watches: tuple[Watch, ...]


class _TickSeen(Struct, frozen=True):
    """A tick that has been judged, before it is committed."""

    exchange: str
    look: Look
    posts: Sequence[Seen]


class _PrintsSeen(Struct, frozen=True):
    """Liquidations that have been judged, before it is committed: the new minutes of each market, and what was new."""

    exchange: str
    pulses: tuple[Pulse, ...]
    news: Mapping[str, Sequence[Liquidation]]


class _ClockSeen(Struct, frozen=True, gc=False):
    """Rules that were due by the clock, before that is committed."""

    rule_ids: tuple[int, ...]


class Engine:
    """Rules, tracks and states of every market, and what becomes of them.

    `states`, `tracks` and `pulses` are those stored: open tracks and those swept lately. What belongs to unknown rules
    or tracks is ignored. `slots` names each market's last recompute where that is known better than by its tracks.
    `tick_ms` and `slot_ms` are the usual times between ticks and between recomputes. `work` tells how much the last
    evaluation had to look at.
    """

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        tracks: Iterable[Track] = (),
        states: Iterable[RuleState] = (),
        *,
        slots: Mapping[Market, int] | None = None,
        pulses: Iterable[Pulse] = (),
        tick_ms: int = 2_000,
        slot_ms: int = 300_000,
        breaker_firings: int = BREAKER_FIRINGS,
    ) -> None:
        self.work = Work()
        self._slot_ms = slot_ms
        self._max_age_ms = STALE_TICKS * tick_ms
        self._breaker_firings = breaker_firings
        self._books: dict[Market, MarketBook] = {}
        self._market_of: dict[int, Market] = {}
        self._fronts = Fronts(max_age_ms=self._max_age_ms, valid_ms=GRACE * slot_ms)
        self._calendar = Calendar()
        self._printing: dict[Market, MarketBook] = {}  # those whose silence may say something
        for rule in rules:
            self.add_rule(rule)
        for track in tracks:
            book = self._book(track.market)
            book.put_track(track)
            book.slot_ms = max(book.slot_ms, track.closed_ms or track.seen_ms + track.missed * slot_ms)
        for pulse in pulses:
            self._put_pulse(pulse)
        for market, last_ms in (slots or {}).items():
            book = self._book(market)
            book.slot_ms = max(book.slot_ms, last_ms)
        self._take(states)

    # What there is to judge

    def add_rule(self, rule: Rule, states: Iterable[RuleState] = ()) -> None:
        """Judge by this rule from now on, from the states of its first look (or those stored with it)."""
        if rule.kind not in WATCHABLE:
            raise ValueError(f"no rule can be of kind {rule.kind}")
        if self._market_of.get(rule.id, rule.market) != rule.market:
            self.remove_rule(rule.id)
        self._market_of[rule.id] = rule.market
        self._book(rule.market).put_rule(rule)
        self._fronts.reshape(self._books[rule.market])
        self._take(states)
        self._calendar.put(rule, self._books[rule.market])

    def replace_rule(self, rule: Rule, states: Iterable[RuleState] = ()) -> None:
        """Snooze, pause or edit a rule. Its states stay, but for those given: an edited rule takes a first look."""
        self.add_rule(rule, states)

    def remove_rule(self, rule_id: int) -> None:
        """Forget a rule and its states; nothing where there is none such."""
        market = self._market_of.pop(rule_id, None)
        if market is not None:
            self._books[market].drop_rule(rule_id)
            self._fronts.reshape(self._books[market])
            self._calendar.drop(rule_id)

    def follow_days(self, day_of: DayOf) -> None:
        """Let each chat's digests come by its own day."""
        self._calendar.day_of = day_of
        for rule in self._book(EVERYWHERE).rules.values():
            self._calendar.put(rule, self._books[rule.market])

    def digest_due_ms(self, rule: Rule) -> int:
        """When a chat's digest comes next."""
        return self._calendar.digest_due_ms(rule, self._book(rule.market))

    def rule(self, rule_id: int) -> Rule | None:
        market = self._market_of.get(rule_id)
        return None if market is None else self._books[market].rules[rule_id]

    def rules(self) -> tuple[Rule, ...]:
        """Every rule, by its id."""
        return tuple(self._books[market].rules[rule_id] for rule_id, market in sorted(self._market_of.items()))

    def rule_ids(self) -> frozenset[int]:
        return frozenset(self._market_of)

    def markets(self) -> set[Market]:
        """The markets that rules watch."""
        return set(self._market_of.values()) - {EVERYWHERE}

    def tracks(self, market: Market) -> tuple[Track, ...]:
        """The open tracks of a market, as applied; those with `missed` above 0 are not in its newest map."""
        book = self._books.get(market)
        return () if book is None else tuple(book.tracks.values())

    # What happens

    def evaluate_map(self, reading: MapReading) -> Changes:
        """Judge a recompute: tracks, what became of them, the market itself.

        A slot already applied changes nothing, whatever it holds.
        """
        book = self._book(reading.market)
        if reading.slot_ms <= book.slot_ms:
            if reading.slot_ms == book.slot_ms and book.reading is None:
                book.reading = reading
                self._fronts.reshape(book)
            self.work = Work()
            return Changes()
        tracks = match(
            book.tracks.values(),
            reading.clusters,
            market=reading.market,
            slot_ms=reading.slot_ms,
            low=reading.low,
            high=reading.high,
            model_version=reading.model_version,
            mapped_before=book.mapped_before(reading, within_ms=GRACE * self._slot_ms),
            price=reading.price,
        )
        verdicts = Verdicts(breaker_firings=self._breaker_firings)
        for state in inherited(book, tracks, slot_ms=reading.slot_ms):
            verdicts.note(book, state)
        round_ = MapRound(book, reading, verdicts, slot_ms=self._slot_ms)
        round_.judge(tracks)
        self.work = Work(woken=len(round_.watches), judged=verdicts.judged)
        pulses = () if round_.pulse is None else (round_.pulse,)
        return self._settled(verdicts.changes(tracks, _MapSeen(reading, tuple(round_.watches)), pulses=pulses))

    def evaluate_tick(
        self, exchange: str, symbols: tuple[str, ...], prices: Floats, times: Ints, *, now_ms: int
    ) -> Changes:
        """Judge the prices (n,) of `symbols` at their `times` (n,): proximity.

        A price older than three ticks at `now_ms`, or not newer than the last, is no data.
        """
        look = self._fronts.look(exchange, symbols, prices, times, now_ms=now_ms)
        if not look.stirred:
            self._fronts.keep(exchange, look, ())
            self.work = Work()
            return Changes()
        verdicts = Verdicts(breaker_firings=self._breaker_firings)
        round_ = TickRound(verdicts, max_age_ms=self._max_age_ms)
        seen: list[Seen] = []
        for stir in look.stirred:
            front = self._fronts.front(Market(exchange, stir.symbol))
            seen.append((front.book.market, stir.time_ms, round_.judge(front, stir)))
            judge_approaches(front.book, stir, verdicts)
        self.work = Work(woken=round_.woken, judged=verdicts.judged)
        return self._settled(verdicts.changes((), _TickSeen(exchange, look, seen)))

    def evaluate_prints(self, exchange: str, news: Iterable[Liquidation], *, heard_ms: int) -> Changes:
        """Judge liquidations as they come: cascades. The venue was heard until `heard_ms`; what it printed in minutes
        that are over is left out, so that the same news again changes nothing.
        """
        by_symbol = cascade.batches(news)
        concerned = {
            market.symbol: book
            for market, book in self._printing.items()
            if market.exchange == exchange and awaits_look(book, heard_ms=heard_ms)
        }
        for symbol in by_symbol:
            if (book := self._books.get(Market(exchange, symbol))) is not None:
                concerned[symbol] = book
        if not concerned:
            self.work = Work()
            return Changes()
        verdicts = Verdicts(breaker_firings=self._breaker_firings)
        pulses: list[Pulse] = []
        fresh: dict[str, Sequence[Liquidation]] = {}
        for symbol, book in sorted(concerned.items()):
            last_ms, now = book.pulse.minutes.last_ms, self._price(book.market)
            fresh[symbol] = [one for one in by_symbol.get(symbol, ()) if one.time_ms > last_ms]
            price = None if now is None else now[0]
            minutes = judge_prints(book, fresh[symbol], verdicts, heard_ms=heard_ms, price=price)
            pulses.append(replace(book.pulse, minutes=minutes))
        self.work = Work(judged=verdicts.judged)
        return self._settled(verdicts.changes((), _PrintsSeen(exchange, tuple(pulses), fresh)))

    def evaluate_clock(self, now_ms: int) -> Changes:
        """What is due by the clock alone: digests, reminders of rules that end, and their ends."""
        verdicts = Verdicts(breaker_firings=self._breaker_firings)
        due = tuple(self._calendar.due(now_ms))
        for rule_id in due:
            book = self._books[self._market_of[rule_id]]
            ClockRound(book, verdicts, now_ms=now_ms, day_of=self._calendar.day_of).judge(book.rules[rule_id])
        self.work = Work(woken=len(due))
        return self._settled(verdicts.changes((), _ClockSeen(due)))

    def apply(self, changes: Changes) -> None:
        """Take over what has been committed."""
        for track in changes.tracks:
            self._books[track.market].put_track(track)
        self._take(changes.states)
        for rule in changes.rules:
            if rule.id in self._market_of:
                self.add_rule(rule)
        for entry in changes.log:
            self._books[entry.market].note(entry)
        for pulse in changes.pulses:
            self._put_pulse(pulse)
        seen = changes.observed
        if isinstance(seen, _TickSeen):
            self._fronts.keep(seen.exchange, seen.look, seen.posts)
        elif isinstance(seen, _MapSeen):
            book = self._book(seen.reading.market)
            book.reading, book.slot_ms = seen.reading, seen.reading.slot_ms
            self._fronts.reshape(book)
            book.let_fall(seen.reading.slot_ms)
            for watch in seen.watches:
                watch.seen_ms = seen.reading.slot_ms
        elif isinstance(seen, _PrintsSeen):
            for pulse in seen.pulses:
                self._put_pulse(pulse)
                self._book(pulse.market).put_printed(seen.news[pulse.market.symbol])
        elif isinstance(seen, _ClockSeen):
            for rule_id in seen.rule_ids:
                if (due := self.rule(rule_id)) is not None:
                    self._calendar.put(due, self._books[due.market])

    # Questions

    def first_look(self, rule: Rule) -> FirstLook:
        """A rule just made or edited (with its id): which tracks satisfy it already, so that none fires for them."""
        book = self._books.get(rule.market)
        now = self._price(rule.market)
        if book is None or now is None:
            return FirstLook(())
        return take_first_look(book, rule, price=now[0], price_ms=now[1])

    def edited_look(self, old: Rule, new: Rule) -> FirstLook:
        """A rule of the same number and market that asks for something else now: the states that it goes on from."""
        book = self._books.get(new.market)
        now = self._price(new.market)
        if book is None or now is None:
            return FirstLook(())
        return take_edited_look(book, old, new, price=now[0], price_ms=now[1])

    def nearest(self, rule: Rule) -> Standing | None:
        """The rule's nearest matching track and how it stands with it; None where there is no map or no price yet."""
        book = self._books.get(rule.market)
        now = self._price(rule.market)
        return None if book is None or now is None else find_nearest(book, rule, price=now[0])

    def asks_surroundings(self, market: Market) -> bool:
        """Whether some rule on a market asks what else stands where its clusters stand."""
        book = self._books.get(market)
        return book is not None and any(rule.where.confluence for rule in book.rules.values())

    def why_silent(self, rule: Rule, *, now_ms: int, max_age_ms: int) -> tuple[Silence, ...]:
        """Why a rule says nothing now; prices older than `max_age_ms` on the exchange's clock are called stale."""
        book, seen = self._books.get(rule.market), self._price(rule.market)
        return why_silent(book, rule, seen, now_ms=now_ms, max_age_ms=max_age_ms)

    # Inside

    def _settled(self, changes: Changes) -> Changes:
        """Where nothing is to be committed, the observation is taken over at once."""
        if not changes:
            self.apply(changes)
        return changes

    def _take(self, states: Iterable[RuleState]) -> None:
        grouped: dict[tuple[Market, str], list[RuleState]] = {}
        for state in states:
            market = self._market_of.get(state.rule_id)
            if market is not None and state.phase is not Phase.CLOSED:
                grouped.setdefault((market, state.track_id), []).append(state)
        for (market, track_id), found in grouped.items():
            self._books[market].put_states(track_id, found)
            self._fronts.stir(market)
            if track_id in CASCADES:
                self._follow_prints(self._books[market])

    def _put_pulse(self, pulse: Pulse) -> None:
        book = self._book(pulse.market)
        known, book.pulse = book.pulse, pulse
        if pulse.minutes is not known.minutes:
            self._follow_prints(book)

    def _follow_prints(self, book: MarketBook) -> None:
        if may_await_look(book):
            self._printing[book.market] = book
        else:
            self._printing.pop(book.market, None)

    def _price(self, market: Market) -> tuple[float, int] | None:
        """The market's last price and its time, from a tick or else from its map."""
        book = self._books.get(market)
        seen = self._fronts.price(market)
        if seen is None and book is not None and book.reading is not None:
            return book.reading.price, book.reading.slot_ms
        return seen

    def _book(self, market: Market) -> MarketBook:
        book = self._books.get(market)
        if book is None:
            book = self._books[market] = MarketBook(market)
        return book
