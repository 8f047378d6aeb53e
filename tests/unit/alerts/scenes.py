"""Made-up clusters, rules and readings, and a caller of the engine that commits to a store of its own."""

from collections.abc import Iterable, Sequence

import numpy as np

from bot.alerts import Engine, FirstLook, MapReading, ParseError, parse_watch
from bot.alerts.pulse import Pulse
from bot.alerts.readings import Liquidation, Marks, no_marks
from bot.alerts.types import Changes, CloseReason, Event, Kind, Market, Phase, Rule, RuleState, Track
from bot.alerts.verdicts import BREAKER_FIRINGS
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, LiquidationMap, Side
from bot.liquidation.values import replace
from bot.liquidation.whole import Whole

BTC = Market("binance", "BTCUSDT")
ETH = Market("binance", "ETHUSDT")
SLOT = 300_000
MINUTE = 60_000
HOUR = 3_600_000
START = 1_764_547_200_000
NAN = float("nan")


def long(low: float, high: float, usd: float = 50e6, *, strength: int = 80) -> Cluster:
    return Cluster(Side.LONG, low, high, (low + high) / 2, usd, 0.1, strength)


def short(low: float, high: float, usd: float = 50e6, *, strength: int = 80) -> Cluster:
    return replace(long(low, high, usd, strength=strength), side=Side.SHORT)


def near(percent: float, *, rule_id: int = 1, market: Market = BTC, side: Side | None = None) -> Rule:
    return Rule(rule_id, 7, market, Kind.PROXIMITY, percent, side=side)


def grows(percent: float, window_ms: int = 4 * HOUR, *, rule_id: int = 1, market: Market = BTC) -> Rule:
    return Rule(rule_id, 7, market, Kind.GROWTH, percent, window_ms)


def asked(line: str, *, rule_id: int = 1) -> Rule:
    """The rule of a line as typed after /watch."""
    found = parse_watch(line, lambda typed: BTC if typed == "BTC" else None, now_ms=START)
    assert not isinstance(found, ParseError), found
    return replace(found[0], id=rule_id, chat=7, created_ms=START)


def standing(long_usd: float, short_usd: float, *, bins: int = 1, price: float = 100.0) -> LiquidationMap:
    """A map with so much on each side of price, within 4 %, evenly over so many bins of a side."""
    edges = np.linspace(0.96, 1.04, 2 * bins + 1) * price
    below = edges[:-1] < price
    return LiquidationMap(
        time_ms=START,
        price=price,
        low=edges[:-1],
        high=edges[1:],
        long_usd=np.where(below, long_usd / bins, 0.0),
        short_usd=np.where(below, 0.0, short_usd / bins),
        long_total_usd=long_usd,
        short_total_usd=short_usd,
        open_interest="measured",
    )


def reading(
    slot_ms: int,
    clusters: Iterable[Cluster],
    *,
    market: Market = BTC,
    price: float = 100.0,
    low: float = NAN,
    high: float = NAN,
    version: str = "1",
    drawn: LiquidationMap | None = None,
    volatility: Volatility | None = None,
    atr_pct: float = NAN,
    marks: Marks = no_marks,
) -> MapReading:
    clusters, day_volatility = tuple(clusters), NAN if volatility is None else volatility.day
    whole = None if drawn is None else Whole.of(drawn, clusters, day_volatility=day_volatility)
    return MapReading(
        market=market,
        slot_ms=slot_ms,
        now_ms=slot_ms + 75_000,
        clusters=clusters,
        price=price,
        low=low,
        high=high,
        map_ms=slot_ms,
        model_version=version,
        open_interest="measured",
        touch=lambda _cluster, _price: ((1, 0.5), (4, 0.75)),
        whole=whole,
        volatility=volatility,
        atr_pct=lambda: atr_pct,
        marks=marks,
    )


class Store:
    """What a database would hold: the caller's half of evaluate, commit, apply."""

    def __init__(self) -> None:
        self.rules: dict[int, Rule] = {}
        self.tracks: dict[tuple[Market, str], Track] = {}
        self.states: dict[tuple[int, str], RuleState] = {}
        self.events: list[Event] = []
        self.slots: dict[Market, int] = {}
        self.pulses: dict[Market, Pulse] = {}

    def commit(self, changes: Changes) -> None:
        self.tracks |= {(track.market, track.id): track for track in changes.tracks}
        self.states |= {(state.rule_id, state.track_id): state for state in changes.states}
        self.rules |= {rule.id: rule for rule in changes.rules}
        self.events += changes.events
        self.pulses |= {pulse.market: pulse for pulse in changes.pulses}

    def engine(self, **settings: int) -> Engine:
        return Engine(
            self.rules.values(),
            [track for track in self.tracks.values() if track.closed in (None, CloseReason.SWEPT)],
            [state for state in self.states.values() if state.phase is not Phase.CLOSED],
            slots=self.slots,
            pulses=self.pulses.values(),
            tick_ms=settings.get("tick_ms", 2_000),
            breaker_firings=settings.get("breaker_firings", BREAKER_FIRINGS),
        )


class Bench:
    """An engine with its store: tell it of maps and prices, read the events."""

    def __init__(self, *rules: Rule, **settings: int) -> None:
        self.store = Store()
        self._settings = settings
        self.store.rules = {rule.id: rule for rule in rules}
        self.engine = self.store.engine(**settings)

    def map(self, reading: MapReading) -> Changes:
        changes = self._commit(self.engine.evaluate_map(reading))
        self.store.slots[reading.market] = max(reading.slot_ms, self.store.slots.get(reading.market, 0))
        return changes

    def tick(self, time_ms: int, price: float, *, market: Market = BTC, now_ms: int | None = None) -> Changes:
        now_ms = time_ms if now_ms is None else now_ms
        prices, times = np.array([price]), np.array([time_ms], dtype=np.int64)
        return self._commit(self.engine.evaluate_tick(market.exchange, (market.symbol,), prices, times, now_ms=now_ms))

    def prints(self, news: Iterable[Liquidation], *, heard_ms: int) -> list[Event]:
        """Liquidations as they come; the events of them."""
        return list(self._commit(self.engine.evaluate_prints("binance", news, heard_ms=heard_ms)).events)

    def clock(self, now_ms: int) -> list[Event]:
        """The clock alone; the events of it."""
        return list(self._commit(self.engine.evaluate_clock(now_ms)).events)

    def add(self, rule: Rule) -> FirstLook:
        """A rule made now: its first look, committed."""
        look = self.engine.first_look(rule)
        self.store.rules[rule.id] = rule
        self.store.commit(Changes(states=look.states))
        self.engine.add_rule(rule, look.states)
        return look

    def walk(self, start_ms: int, prices: Sequence[float], *, step_ms: int = 2_000) -> list[Event]:
        """Ticks at an even pace; the events of all of them."""
        return [event for i, price in enumerate(prices) for event in self.tick(start_ms + i * step_ms, price).events]

    def rest(self, start_ms: int, end_ms: int, price: float) -> list[Event]:
        """Price stands still from `start_ms` until just before `end_ms`, a tick every two seconds."""
        return self.walk(start_ms, [price] * ((end_ms - start_ms) // 2_000))

    def restart(self) -> None:
        """The process ends, and another starts from what was committed."""
        self.engine = self.store.engine(**self._settings)

    def state(self, rule_id: int = 1) -> RuleState:
        """The only state of a rule."""
        (found,) = (state for state in self.store.states.values() if state.rule_id == rule_id)
        return found

    def _commit(self, changes: Changes) -> Changes:
        self.store.commit(changes)
        self.engine.apply(changes)
        return changes
