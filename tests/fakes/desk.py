"""A desk with believable maps of a few markets, rules in memory, and a clock that a test turns."""

from collections.abc import Mapping, Sequence

import numpy as np

from bot.alerts.digest import next_ms
from bot.alerts.filters import meets_floor
from bot.alerts.hit_rate import HitRate
from bot.alerts.lives import Life, biggest, count_lives
from bot.alerts.manners import QuietHours
from bot.alerts.preferences import Preferences
from bot.alerts.reasons import Reason
from bot.alerts.sequels import count_sweeps, ended
from bot.alerts.silence import Silence
from bot.alerts.types import EVERYWHERE, CloseReason, Kind, LogEntry, Market, Phase, Rule
from bot.liquidation.depth import Depth
from bot.liquidation.ground import Ground
from bot.liquidation.margin import RiskTier
from bot.liquidation.touch import Volatility
from bot.liquidation.types import Cluster, Feature, History, LiquidationMap, MapLimit, Mark, OpenInterestSource, Side
from bot.liquidation.values import replace
from bot.telegram.cascade_view import CascadeView
from bot.telegram.desk import (
    AddedRule,
    ClusterView,
    ExchangeView,
    HistoryView,
    LivesView,
    Look,
    MarketUnavailableError,
    MarketView,
    Operator,
    QuietView,
    Resolution,
    RuleView,
    SkillView,
    StatsView,
    StatusView,
    StoredView,
    StreamView,
    TermsView,
    ToldView,
    TooManyRulesError,
    WhyView,
)
from bot.telegram.ground import GroundView
from bot.telegram.texts.zones import UnknownZoneError, day_of, zone_name
from tests.fakes.order_book import believable_book
from tests.fakes.survey import FakeSurvey

NOON_MS = 1_766_923_200_000
"""2025-12-28 12:00 UTC."""

PNG = b"\x89PNG\r\n\x1a\n" + b"a small picture"
CHINESE = "我踏马来了USDT"

THICKNESS_USD = {"ETHUSDT": 2.6e6, "ZRXUSDT": 12e6}
"""What rests within a percent of the price on either side; of every other symbol 5M."""

TIERS = (
    RiskTier(0.0, 300e3, 0.004, 0.0, 125.0),
    RiskTier(300e3, 3e6, 0.01, 1_800.0, 50.0),
    RiskTier(3e6, 60e6, 0.05, 121_800.0, 10.0),
)
"""Of every contract, as a large one has them."""


def market(symbol: str) -> Market:
    return Market("binance", symbol)


def cluster_view(
    view: MarketView | float, side: Side, low: float, high: float, usd: float, strength: int
) -> ClusterView:
    """A cluster with its signed distance from price and odds that fall with it."""
    price = view if isinstance(view, float) else view.price
    edge = min(max(price, low), high)
    distance = (edge / price - 1) * 100
    odds = tuple((hours, round(float(np.exp(-abs(distance) / (0.6 * hours**0.5))), 3)) for hours in (1, 4, 24))
    share = min(usd / 800e6, 0.9)
    return ClusterView(
        Cluster(side, low, high, (low + high) / 2, usd, share, strength), f"{side}-{low:g}", distance, odds
    )


def market_view(
    symbol: str,
    *,
    base: str,
    tick_size: float,
    price: float,
    clusters: Sequence[tuple[Side, float, float, float, int]],
    open_interest: OpenInterestSource = "measured",
    simulated: bool = False,
    daily_move_pct: float | None = None,
    proven: bool = True,
    time_ms: int = NOON_MS - 40_000,
) -> MarketView:
    """A market with a plausible map around its clusters."""
    edges = np.geomspace(price * 0.85, price * 1.15, 121)
    middle = (edges[:-1] + edges[1:]) / 2
    weight = np.exp(-np.abs(middle / price - 1) / 0.05) * 4e6
    views = tuple(cluster_view(price, *each) for each in clusters)
    return MarketView(
        market=market(symbol),
        base=base,
        tick_size=tick_size,
        price=price,
        price_ms=NOON_MS,
        map=LiquidationMap(
            time_ms=time_ms,
            price=price,
            low=edges[:-1],
            high=edges[1:],
            long_usd=np.where(middle < price, weight, 0.0),
            short_usd=np.where(middle > price, weight, 0.0),
            long_total_usd=800e6,
            short_total_usd=800e6,
            open_interest=open_interest,
            limits=(MapLimit.VOLUME_MODEL,) if open_interest == "estimated" else (),
        ),
        clusters=tuple(sorted(views, key=lambda each: -each.cluster.strength)),
        simulated=simulated,
        daily_move_pct=daily_move_pct,
        proven=proven,
    )


def marked(view: MarketView, edge: float, *marks: Mark) -> MarketView:
    """The market with something else at the near edge of one of its clusters."""
    clusters = tuple(
        replace(each, cluster=replace(each.cluster, confluence=marks))
        if edge in (each.cluster.low, each.cluster.high)
        else each
        for each in view.clusters
    )
    return replace(view, clusters=clusters)


def believable_markets() -> dict[str, MarketView]:
    """BTC, ETH, SOL, ZRX without open interest, PEPE with a tiny price, a Chinese name, one without clusters."""
    long, short = Side.LONG, Side.SHORT
    btc = market_view(
        "BTCUSDT",
        base="BTC",
        tick_size=0.1,
        price=96_620.5,
        daily_move_pct=2.4,
        clusters=[
            (short, 97_430.0, 97_910.0, 42.3e6, 83),
            (short, 98_880.0, 99_420.0, 88e6, 96),
            (short, 101_200.0, 101_900.0, 31e6, 71),
            (long, 94_680.0, 95_070.0, 31.2e6, 74),
            (long, 92_100.0, 92_900.0, 120e6, 98),
        ],
    )
    eth = market_view(
        "ETHUSDT",
        base="ETH",
        tick_size=0.01,
        price=3_402.11,
        daily_move_pct=3.4,
        clusters=[(short, 3_398.0, 3_421.0, 18e6, 77), (long, 3_301.0, 3_322.0, 22e6, 81)],
    )
    sol = market_view(
        "SOLUSDT",
        base="SOL",
        tick_size=0.01,
        price=182.4,
        clusters=[(long, 175.2, 176.9, 9.8e6, 79)],
        proven=False,
        daily_move_pct=4.1,
    )
    zrx = market_view(
        "ZRXUSDT",
        base="ZRX",
        tick_size=0.0001,
        price=0.2314,
        open_interest="estimated",
        daily_move_pct=6.2,
        clusters=[(short, 0.2342, 0.2361, 0.4e6, 88), (long, 0.2241, 0.2256, 0.3e6, 72)],
    )
    pepe = market_view(
        "1000PEPEUSDT",
        base="1000PEPE",
        tick_size=1e-7,
        price=0.0084311,
        clusters=[(short, 0.0085102, 0.0085911, 3.1e6, 75), (long, 0.0082012, 0.0082604, 2.2e6, 71)],
    )
    chinese = market_view(
        CHINESE,
        base="我踏马来了",
        tick_size=1e-6,
        price=0.021457,
        clusters=[(short, 0.0218, 0.0221, 0.9e6, 80)],
        open_interest="estimated",
    )
    thin = market_view("ARBUSDT", base="ARB", tick_size=0.0001, price=0.3312, clusters=[])
    btc = marked(btc, 97_430.0, Mark(Feature.VOLUME_NODE, 97_455.0), Mark(Feature.SWING_HIGH, 97_390.0, 2))
    return {view.market.symbol: view for view in (btc, eth, sol, zrx, pepe, chinese, thin)}


def believable_lives(view: MarketView, range_ms: int) -> LivesView:
    """The clusters that stand, and one that was swept; the older half of the biggest was there from the start."""
    start_ms = NOON_MS - range_ms
    lives = [
        Life(
            shown.track_id,
            shown.cluster.side,
            bool(order % 2),
            (start_ms + order * range_ms // 8, NOON_MS),
            (shown.cluster, shown.cluster),
            ended_ms=NOON_MS - range_ms // 6 if order == 2 else 0,
            end=CloseReason.SWEPT if order == 2 else None,
        )
        for order, shown in enumerate(view.clusters)
    ]
    open_ms = np.arange(start_ms, NOON_MS, 300_000, dtype=np.int64)
    path = view.price * (1.0 + 0.01 * (open_ms - NOON_MS) / range_ms)
    bars = History(300_000, open_ms, path, path, path, path, path, path, path)
    return LivesView(
        view,
        start_ms,
        NOON_MS,
        900_000,
        count_lives(lives, NOON_MS),
        biggest(lives, 5),
        biggest(ended(lives), 5),
        count_sweeps(lives, bars),
        bars,
    )


def believable_status() -> StatusView:
    """Binance heard well; all markets proven, of three watched ones each verdict once."""
    return StatusView(
        exchanges=(
            ExchangeView(
                "binance",
                age_ms=1_800,
                bar_ms=NOON_MS - 300_000,
                hears=True,
                last_print_ms=NOON_MS - 14_000,
                requests=(310, 1200),
                stream=StreamView(age_ms=1_000, late_ms=240, reconnects=0, gaps=0, dropped=0, unread=0),
                history=HistoryView(whole=98, wanted=103, missing=0, dropped=0),
            ),
        ),
        skills=(
            SkillView(Market("binance", ""), "proven", 0.094, 0.041, 0.138, 1240, 84),
            SkillView(market("BTCUSDT"), "proven", 0.121, 0.052, 0.187, 318, 84),
            SkillView(market("SOLUSDT"), "not_proven", 0.012, -0.043, 0.061, 102, 79),
            SkillView(market("ZRXUSDT"), "too_few", 0.3, -0.2, 0.6, 4, 3),
        ),
    )


def _how(look: Look) -> str:
    return look.texts.language if look.theme == "dark" else f"{look.texts.language}-{look.theme}"


class FakeDesk:
    """A Desk whose every answer a test can set: `unavailable` maps a symbol to a reason, `now` is the time."""

    def __init__(self, *, limit: int = 25, pictures: bool = True) -> None:
        self.markets = believable_markets()
        self.unavailable: dict[str, str] = {}
        self.limit = limit
        self.pictures = pictures
        self.now = NOON_MS
        self.phases: dict[int, tuple[Phase, int]] = {}
        self.state = believable_status()
        self.record = StatsView(30, HitRate())
        self.hears = True
        self.newcomer = False
        self.name: str | None = None
        self.silence = QuietView(None)
        self.chosen: dict[int, Preferences] = {}
        self.told: dict[int, tuple[ToldView, ...]] = {}
        self.whys: dict[int, WhyView] = {}
        self.log: tuple[LogEntry, ...] = ()
        self.without_tiers: set[str] = set()
        self.bookless: set[str] = set()
        """Symbols and exchanges without an order book."""
        self.operators: dict[int, Operator] = {}
        self.tables = FakeSurvey(self.view, self.now_ms, lambda: self.pictures)
        self.tables.scanned = lambda: [view.market for view in self.markets.values()]
        self._rules: dict[int, Rule] = {}
        self._removed: dict[int, Rule] = {}

    def exchanges(self) -> Sequence[str]:
        return ("binance",)

    def resolve(self, text: str, *, exchange: str = "") -> Resolution:
        name = text.strip().removeprefix("binance:").upper().strip("!?.,$").replace("-", "").replace("/", "")
        name = name.removesuffix("SWAP").removesuffix(".P")
        for candidate in (name, f"{name}USDT", f"1000{name}USDT"):
            if candidate in self.markets:
                return Resolution(market(candidate))
        near = [symbol for symbol in self.markets if name[:1] and name[0] == symbol[0]]
        return Resolution(None, tuple(near[:3]))

    def popular(self) -> Sequence[str]:
        return tuple(self.markets)[:6]

    def traded(self) -> Sequence[str]:
        return tuple(self.markets)

    def bot_name(self) -> str | None:
        return self.name

    def rules_limit(self) -> int:
        return self.limit

    async def view(self, market: Market, *, range_ms: int | None = None) -> MarketView:
        if market.symbol in self.unavailable or market == EVERYWHERE:
            raise MarketUnavailableError(market, self.unavailable.get(market.symbol, "no_data"))
        return self.markets[market.symbol]

    async def ground(self, market: Market) -> GroundView:
        view = await self.view(market)
        clusters = tuple(shown.cluster for shown in view.clusters)
        ground = Ground(view.map, clusters, day_volatility=(view.daily_move_pct or 3.0) / 100)
        volatility = Volatility(view.price, self.now, (4e-6, 4e-6, 4e-6, 4e-6), (1.0, 1.0, 1.0, 1.0))
        tiers = () if market.symbol in self.without_tiers else TIERS
        return GroundView(view, ground, volatility, tiers, market, 0.0)

    async def books(self, markets: Sequence[Market]) -> Mapping[Market, Depth]:
        """As thick as the maps are, shared among exchanges; none of the symbols in `bookless`."""
        return {
            each: believable_book(
                self.markets[each.symbol].price, usd_a_percent=THICKNESS_USD.get(each.symbol, 5e6) / len(markets)
            )
            for each in markets
            if each.symbol not in self.bookless and each.exchange not in self.bookless
        }

    async def picture(
        self,
        view: MarketView,
        *,
        look: Look,
        range_ms: int | None = None,
        by_leverage: bool = False,
        level: float | None = None,
    ) -> tuple[bytes, str] | None:
        what = f"{range_ms or 'all'}{'-leverage' if by_leverage else ''}{'' if level is None else f'-{level:.6g}'}"
        return (PNG, f"{view.market.symbol}-{what}-{_how(look)}") if self.pictures else None

    async def cascade_picture(self, cascade: CascadeView, *, look: Look) -> tuple[bytes, str] | None:
        return (PNG, f"{cascade.view.market.symbol}-cascade-{_how(look)}") if self.pictures else None

    async def heatmap(self, view: MarketView, *, look: Look, range_ms: int) -> tuple[bytes, str] | None:
        return (PNG, f"{view.market.symbol}-heat-{range_ms}-{_how(look)}") if self.pictures else None

    async def lives(self, market: Market, *, range_ms: int) -> LivesView:
        return believable_lives(await self.view(market), range_ms)

    async def lives_picture(self, view: LivesView, *, look: Look) -> tuple[bytes, str] | None:
        return (PNG, f"{view.market.market.symbol}-lives-{_how(look)}") if self.pictures else None

    def survey(self) -> FakeSurvey:
        return self.tables

    async def add_rule(self, rule: Rule) -> AddedRule:
        reason = self.unavailable.get(rule.market.symbol, "")
        if reason in ("no_data", "blocked"):
            raise MarketUnavailableError(rule.market, reason)
        wanted = replace(rule, id=0, created_ms=0, snoozed_until_ms=0)
        for stored in self._rules.values():
            if replace(stored, id=0, created_ms=0, snoozed_until_ms=0) == wanted:
                return AddedRule(stored, self._already(stored), existed=True)
        if sum(each.chat == rule.chat for each in self._rules.values()) >= self.limit:
            raise TooManyRulesError(self.limit)
        known = (*self._rules.values(), *self._removed.values())
        first = self.newcomer and all(each.chat != rule.chat for each in known)
        new = replace(rule, id=1 + max((*self._rules, *self._removed), default=0))
        self._rules[new.id] = new
        already = None if reason else self._already(new)
        return AddedRule(new, already, hears=self.hears, first=first, blind=bool(reason))

    async def edit_rule(self, rule: Rule) -> AddedRule | None:
        known = self._rules.get(rule.id)
        if known is None or known.chat != rule.chat:
            return None
        for other in self._rules.values():
            if replace(other, id=rule.id, created_ms=0, snoozed_until_ms=0) == replace(
                rule, created_ms=0, snoozed_until_ms=0
            ):
                return AddedRule(other, None, existed=other.id != rule.id)
        self._rules[rule.id] = rule
        return AddedRule(rule, self._already(rule), hears=self.hears)

    async def pause_rule(self, chat: int, rule_id: int) -> Rule | None:
        if rule_id not in self._rules or self._rules[rule_id].chat != chat:
            return None
        self.pause(rule_id, "by_hand")
        return self._rules[rule_id]

    async def rules(self, chat: int) -> Sequence[RuleView]:
        return [self._rule_view(rule) for rule in self._rules.values() if rule.chat == chat]

    async def remove_rule(self, chat: int, rule_id: int) -> Rule | None:
        if rule_id not in self._rules or self._rules[rule_id].chat != chat:
            return None
        self._removed[rule_id] = self._rules.pop(rule_id)
        return self._removed[rule_id]

    async def restore_rule(self, chat: int, rule_id: int) -> Rule | None:
        if rule_id not in self._removed or self._removed[rule_id].chat != chat:
            return None
        self._rules[rule_id] = self._removed.pop(rule_id)
        return self._rules[rule_id]

    async def snooze_rule(self, chat: int, rule_id: int, until_ms: int) -> Rule | None:
        if rule_id not in self._rules or self._rules[rule_id].chat != chat:
            return None
        rule = self._rules[rule_id]
        paused = rule.paused_reason if until_ms else None
        self._rules[rule_id] = replace(rule, snoozed_until_ms=until_ms, paused_reason=paused)
        return self._rules[rule_id]

    async def renew_rule(self, chat: int, rule_id: int, expires_ms: int) -> Rule | None:
        if rule_id not in self._rules or self._rules[rule_id].chat != chat:
            return None
        renewed = replace(self._rules[rule_id], expires_ms=expires_ms, created_ms=self.now, paused_reason=None)
        self._rules[rule_id] = renewed
        return renewed

    async def quiet(self, chat: int) -> QuietView:
        return self.silence

    async def preferences(self, chat: int) -> Preferences:
        return self.chosen.get(chat, Preferences())

    async def prefer(self, chat: int, chosen: Preferences) -> None:
        if chosen.zone:
            chosen = replace(chosen, zone=zone_name(chosen.zone))
        self.chosen[chat] = chosen
        if self.silence.hours is not None and chosen.zone:
            self.silence = replace(self.silence, hours=replace(self.silence.hours, zone=chosen.zone))

    async def set_quiet(self, chat: int, hours: QuietHours | None) -> None:
        if hours is not None and "/" not in hours.zone and not hours.zone.startswith("UTC"):
            raise UnknownZoneError
        if hours is not None:
            self.chosen[chat] = replace(await self.preferences(chat), zone=hours.zone)
        self.silence = replace(self.silence, hours=hours)

    async def mute(self, chat: int, until_ms: int) -> None:
        self.silence = replace(self.silence, muted_until_ms=until_ms)

    def terms(self) -> TermsView:
        return TermsView("1.2.3", "MIT", "https://example.org/liqwatch", 60, 14, 90, 2)

    async def export(self, chat: int) -> StoredView:
        rules = [rule.id for rule in self._rules.values() if rule.chat == chat]
        return StoredView(f'{{"rules": {rules}}}'.encode())

    async def forget(self, chat: int) -> None:
        self._rules = {rule.id: rule for rule in self._rules.values() if rule.chat != chat}
        self.chosen.pop(chat, None)
        self.silence = QuietView(None)

    async def why_told(self, chat: int, message_id: int) -> Sequence[ToldView]:
        return self.told.get(message_id, ())

    async def why_silent(self, chat: int, rule_id: int) -> WhyView | None:
        rule = self._rules.get(rule_id)
        return None if rule is None or rule.chat != chat else self.whys.get(rule_id, self._why(rule))

    async def decisions(self, chat: int) -> Sequence[LogEntry]:
        return self.log

    def _why(self, rule: Rule) -> WhyView:
        view = self.markets[rule.market.symbol]
        near = min(self._fitting(rule), key=lambda each: abs(each.distance_pct), default=None)
        if near is None:
            now = Silence(Reason.NO_CLUSTER)
        else:
            away = abs(near.distance_pct)
            now = Silence(Reason.TOO_FAR, near.cluster, away, measured=away, asked=rule.threshold_pct)
        return WhyView(rule, view.base, view.tick_size, (now,), log=(), passed=(), stale=())

    async def status(self, chat: int) -> StatusView:
        return self.state

    async def stats(self, chat: int) -> StatsView:
        return self.record

    def operator(self, user: int | None) -> Operator | None:
        return None if user is None else self.operators.get(user)

    def now_ms(self) -> int:
        return self.now

    def rule(self, rule_id: int) -> Rule:
        """A rule as stored."""
        return self._rules[rule_id]

    def pause(self, rule_id: int, reason: str) -> None:
        """Let the engine have stopped a rule."""
        self._rules[rule_id] = replace(self._rules[rule_id], paused_reason=reason)

    def _fitting(self, rule: Rule) -> list[ClusterView]:
        if rule.market == EVERYWHERE:
            return []
        return [each for each in self.markets[rule.market.symbol].clusters if meets_floor(rule, each.cluster)]

    def _already(self, rule: Rule) -> ClusterView | None:
        if rule.kind is not Kind.PROXIMITY:
            return None
        hit = [each for each in self._fitting(rule) if abs(each.distance_pct) <= rule.threshold_pct]
        return min(hit, key=lambda each: abs(each.distance_pct), default=None)

    def _rule_view(self, rule: Rule) -> RuleView:
        near = min((abs(each.distance_pct) for each in self._fitting(rule)), default=None)
        phase, cooling = self.phases.get(rule.id, (Phase.ARMED, 0))
        day = day_of(self.chosen.get(rule.chat, Preferences()))
        due = next_ms(rule, self.now, day) if rule.kind is Kind.DIGEST else 0
        return RuleView(rule, phase, near, cooling, due)
