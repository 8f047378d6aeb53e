"""The alert engine over a recording, offline: the live bot's own judge, told of each tick and each recompute in order.

Nothing reads a clock and everything goes in a fixed order, so the same input gives the same bytes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from bot.alert_line import dump_line
from bot.alerts.engine import Engine
from bot.alerts.gate import Gate, Ruling
from bot.alerts.hit_rate import HitRate
from bot.alerts.readings import Liquidation, MapReading
from bot.alerts.types import EVERYWHERE, Changes, CloseReason, Kind, Market, Rule, Track
from bot.liquidation.types import Side
from bot.market.bar_path import market_ticks
from bot.market.recording import Recording
from bot.market.types import BAR_MS, SIMULATED, Prices
from bot.recorded import Recorded, open_recorded
from bot.recorded_maps import RecordedMaps
from bot.recorded_receipts import Receipt, RecordedReceipts, hits_json
from bot.recorded_ticks import RecordedTicks
from bot.replay_lines import ReplayLines
from bot.rules_file import read_rules
from bot.telegram.headlines import Contract
from bot.telegram.texts import Catalogue

Item = TypeVar("Item")

DAY_MS = 86_400_000
WARM_UP_BARS = 288
"""A day: before that the model has not seen enough of who entered where to tell anyone."""
WINDOW_EDGE = 0.115
"""Log distance from which a body that fades may have left the map's window of 12 %: its identity is not lost."""
RUN = 512
"""So many of a kind are worked on in a row: what that takes is in the processor's caches then, and it goes a third
faster than one by one between all the rest.
"""


def replay_recording(path: Path, rules_path: Path, *, json: bool) -> Iterator[str]:
    """Lines to print: each alert in order, then the summary. Raises RecordingError, UsageError."""
    recorded = open_recorded(Recording(path))
    rules = read_rules(rules_path, recorded, created_ms=0)
    texts = Catalogue.english()
    contracts = {market: _contract(recorded, market) for market in {rule.market for rule in rules}}
    lines = ReplayLines(contracts, texts, json=json)
    replay = Replay(recorded, rules)
    for told in in_runs(replay.events()):
        yield lines.alert(told) if isinstance(told, Ruling) else lines.receipt(told)
    summary = replay.summary()
    yield dump_line({"kind": "summary", **summary}) if json else _summary_words(summary)


def in_runs(items: Iterator[Item]) -> Iterator[Item]:
    """The same, fetched `RUN` at a time."""
    while run := list(islice(items, RUN)):
        yield from run


class _Verdict(NamedTuple):
    """What an evaluation changed at `now_ms`, when prices up to `seen_ms` had been shown. `market` is the one that was
    recomputed, if one was, and `ended` those of its tracks that this ended.
    """

    changes: Changes
    now_ms: int
    seen_ms: int
    market: Market | None = None
    ended: Sequence[Track] = ()


class Replay:
    """One run of some rules over the markets they name."""

    def __init__(self, recorded: Recorded, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._engine = Engine(tick_ms=BAR_MS // 4)
        markets = sorted({rule.market for rule in rules} - {EVERYWHERE})
        of_maps = {rule.market for rule in rules if rule.kind in (Kind.FLIP, Kind.CONCENTRATION, Kind.EXPOSURE)}
        self._players = [_Player(recorded, market, drawn=market in of_maps) for market in markets]
        paths = {player.market: player.ticks for player in self._players}
        self._ticks = RecordedTicks(paths)
        self._awaits_cascades = any(rule.kind is Kind.CASCADE for rule in rules)
        self._printed = {exchange: _printed(recorded, exchange) for exchange in {market.exchange for market in markets}}
        for rule in rules:
            if rule.market == EVERYWHERE:
                self._engine.add_rule(rule)
        self._receipts = RecordedReceipts(recorded, paths)
        self._gate = Gate()
        self._messages: Counter[str] = Counter()
        self._alerts: Counter[tuple[int, Kind]] = Counter()
        self._ended: Counter[str] = Counter()
        self._lost = 0
        self._track_ms = 0

    def events(self) -> Iterator[Ruling | Receipt]:
        """Every alert with what the gate made of it, and the receipt of each that came to an end, in order of time."""
        for verdict in in_runs(self._verdicts()):
            rulings = self._rule(verdict.changes, verdict.now_ms)
            yield from rulings
            if verdict.market is not None:
                yield from self._receipts.due(verdict.market, verdict.ended, time_ms=verdict.now_ms)
            self._receipts.follow(rulings, seen_ms=verdict.seen_ms)

    def summary(self) -> dict[str, object]:
        """Counts of the run so far: alerts by rule and per day, how often price came where they told and what chance
        gives, how clusters' identities ended and how many were lost.

        Lost: the body is neither swept nor merged nor out of the map's window.
        """
        days = {player.market: player.days for player in self._players}
        longest = max(days.values(), default=0.0)
        track_days = self._track_ms / DAY_MS
        by_rule, by_kind = self._receipts.by_rule(), self._receipts.by_kind()
        of_rule, of_kind = Counter[int](), Counter[Kind]()
        for (rule_id, kind), count in self._alerts.items():
            of_rule[rule_id] += count
            of_kind[kind] += count
        return {
            "alerts": sum(self._alerts.values()),
            "messages": self._messages["messages"],
            "held": self._messages["held"],
            "receipts": self._receipts.told,
            "rules": [
                {
                    "rule": rule.id,
                    "symbol": rule.market.symbol,
                    "alerts": of_rule[rule.id],
                    "alerts_per_day": round(of_rule[rule.id] / max(days.get(rule.market, longest), 1e-9), 3),
                    "hits": hits_json(by_rule.get(rule.id, HitRate())),
                }
                for rule in self._rules
            ],
            "kinds": {
                kind.value: {"alerts": of_kind[kind], "hits": hits_json(by_kind.get(kind, HitRate()))}
                for kind in Kind
                if of_kind[kind]
            },
            "days": {f"{market.exchange}:{market.symbol}": round(length, 3) for market, length in days.items()},
            "clusters": {
                "cluster_days": round(track_days, 3),
                "ended": dict(sorted(self._ended.items())),
                "lost": self._lost,
                "lost_per_cluster_day": round(self._lost / track_days, 4) if track_days else None,
            },
        }

    def _verdicts(self) -> Iterator[_Verdict]:
        """What was decided, bar by bar, already taken over by the engine."""
        waiting: dict[int, list[_Player]] = {}
        for player in self._players:
            for open_ms in player.open_times():
                waiting.setdefault(open_ms, []).append(player)
        for open_ms in sorted(waiting):
            players = waiting.pop(open_ms)
            end_ms = open_ms + BAR_MS
            yield from self._ticks_before(end_ms)
            for player in players:
                yield self._map(player)
            yield from self._taken(self._engine.evaluate_clock(end_ms), end_ms, seen_ms=end_ms - 1)

    def _ticks_before(self, end_ms: int) -> Iterator[_Verdict]:
        """The ticks of all markets within a bar."""
        for tick in self._ticks.before(end_ms):
            now_ms = int(tick.time_ms[0])
            yield from self._prints(tick.exchange, now_ms)
            changes = self._engine.evaluate_tick(tick.exchange, tick.symbols, tick.price, tick.time_ms, now_ms=now_ms)
            yield from self._taken(changes, now_ms, seen_ms=now_ms)

    def _prints(self, exchange: str, until_ms: int) -> Sequence[_Verdict]:
        """The liquidations up to a tick, as the live bot hears them before it."""
        news, first = self._printed[exchange], []
        while news and news[-1].time_ms <= until_ms:
            first.append(news.pop())
        if not (first or (news and self._awaits_cascades)):
            return ()
        return self._taken(
            self._engine.evaluate_prints(exchange, first, heard_ms=until_ms), until_ms, seen_ms=until_ms - 1
        )

    def _taken(self, changes: Changes, now_ms: int, *, seen_ms: int) -> Sequence[_Verdict]:
        if not changes:
            return ()
        self._engine.apply(changes)
        return (_Verdict(changes, now_ms, seen_ms),)

    def _map(self, player: "_Player") -> _Verdict:
        first = not player.mapped
        reading = player.close_bar()
        changes = self._engine.evaluate_map(reading)
        self._engine.apply(changes)
        ended = self._count(reading, changes.tracks)
        if first:
            for rule in self._rules:
                if rule.market == player.market:
                    self._engine.add_rule(rule, self._engine.first_look(rule).states)
        return _Verdict(changes, reading.now_ms, reading.now_ms - 1, player.market, ended)

    def _rule(self, changes: Changes, now_ms: int) -> Sequence[Ruling]:
        """Put what was decided before the gate, as the live bot does."""
        if not (changes.events or changes.log):
            return ()
        rulings = self._gate.rule(changes.events, changes.log, now_ms=now_ms)
        self._gate.apply(rulings)
        for ruling in rulings.rulings:
            self._alerts[ruling.event.rule_id, ruling.event.kind] += 1
            self._messages["messages"] += ruling.leads
            self._messages["held"] += ruling.held
        return rulings.rulings

    def _count(self, reading: MapReading, tracks: Iterable[Track]) -> Sequence[Track]:
        """Count what became of all tracks of a market; those that ended."""
        ended = []
        for track in tracks:
            if track.closed is None:
                self._track_ms += BAR_MS * (track.missed == 0)
                continue
            ended.append(track)
            away = abs(math.log(track.cluster.peak / reading.price))
            self._ended[str(track.closed)] += 1
            self._lost += track.closed is CloseReason.FADED and away < WINDOW_EDGE
        return ended


class _Player:
    """One market of the recording, played bar by bar, with the whole map or not (see `RecordedMaps`)."""

    def __init__(self, recorded: Recorded, market: Market, *, drawn: bool) -> None:
        self.market = market
        self.mapped = False
        """Whether the warm-up is over: the market has a map."""
        self._history = recorded.history(market)
        self._at = min(WARM_UP_BARS, len(self._history)) - 1
        ticks = market_ticks(recorded.bars(market), recorded.recording.prices(*market))
        first = int(np.searchsorted(ticks.time_ms, self._history.open_ms[self._at] + BAR_MS))
        self.ticks = Prices(ticks.time_ms[first:], ticks.price[first:])
        """The prices after the warm-up."""
        self._readings = RecordedMaps(recorded, market, self._history, drawn=drawn).readings(self._at)

    @property
    def days(self) -> float:
        """How long the market was watched."""
        return max(0, len(self._history) - WARM_UP_BARS) * BAR_MS / DAY_MS

    def open_times(self) -> list[int]:
        """The bars that are played, by their open times; the first one ends the warm-up."""
        times: list[int] = self._history.open_ms[self._at :].tolist()
        return times

    def close_bar(self) -> MapReading:
        """Read the market after the bar to come."""
        self.mapped = True
        return next(self._readings)


def _printed(recorded: Recorded, exchange: str) -> list[Liquidation]:
    """What a venue printed, newest first: what is played is taken from the end."""
    prints = recorded.prints(exchange)
    if prints is None:
        return []
    usd = prints.price * prints.coins
    rows = zip(prints.time_ms.tolist(), prints.symbol, prints.is_long.tolist(), prints.price.tolist(), usd, strict=True)
    found = [
        Liquidation(time_ms, symbol, Side.LONG if is_long else Side.SHORT, price, float(worth))
        for time_ms, symbol, is_long, price, worth in rows
    ]
    return found[::-1]


def _contract(recorded: Recorded, market: Market) -> Contract:
    if market == EVERYWHERE:
        return Contract("", 1.0)
    instrument = recorded.instrument(market.symbol, market.exchange)
    return Contract(instrument.base, instrument.tick_size, simulated=market.exchange == SIMULATED)


def _summary_words(summary: Mapping[str, object]) -> str:
    return f"{summary['alerts']} alerts; for all figures add --json"
