"""The desk of the live bot: what a conversation asks, answered from the markets, the watch and the charts."""

from collections.abc import Callable, Mapping, Sequence

from bot.alerts.hit_rate import by_kind, by_rule, hit_rate
from bot.alerts.manners import QuietHours
from bot.alerts.preferences import Preferences
from bot.alerts.types import EVERYWHERE, Kind, LogEntry, Market, Phase, Rule, Track
from bot.clock import Clock
from bot.combined_markets import CombinedMarkets
from bot.doorbell import Doorbell
from bot.hindsight import Hindsight, lives_view
from bot.history_store import NoMapError
from bot.liquidation.combining import COMBINED
from bot.liquidation.depth import Depth
from bot.liquidation.values import replace
from bot.live_survey import LiveSurvey
from bot.market.history import FEE_IN_REQUIREMENT
from bot.market_pictures import MarketPictures
from bot.markets import LiveMarket
from bot.operator_desk import OperatorDesk
from bot.order_books import OrderBooks
from bot.own_data import OwnData
from bot.pictures import PictureDesk
from bot.reading import WIDE_WINDOW, Reading, distance_pct, ground_of, touch_odds
from bot.scanner import Scanner
from bot.status import StatusBoard
from bot.storage.errors import RuleLimitError
from bot.storage.outcomes import Outcomes
from bot.telegram.cascade_view import CascadeView
from bot.telegram.desk import (
    AddedRule,
    ClusterView,
    LivesView,
    Look,
    MarketUnavailableError,
    MarketView,
    QuietView,
    Resolution,
    RuleView,
    StatsView,
    StatusView,
    StoredView,
    TermsView,
    ToldView,
    TooManyRulesError,
    WhyView,
)
from bot.telegram.ground import GroundView
from bot.walls_seen import look_for_walls
from bot.watch import Added, Watch
from bot.why import Why

DAY_MS = 86_400_000
STATS_DAYS = 30
"""How far back /stats looks."""

POPULAR = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "DOGEUSDT", "ZRXUSDT")
"""Offered where no ranking by volume is known."""

FOR_LONG = frozenset({"no_data", "blocked"})
"""Reasons for which there is no map that a minute does not mend."""

BY_HAND = "by_hand"
"""The reason of a rule that somebody has paused."""


class LiveDesk:
    """Implements `bot.telegram.desk.Desk`."""

    def __init__(
        self,
        *,
        markets: CombinedMarkets,
        books: OrderBooks,
        watch: Watch,
        status: StatusBoard,
        pictures: PictureDesk,
        hindsight: Hindsight,
        scanner: Scanner,
        clock: Clock,
        simulated: frozenset[str],
        rules_per_chat: int,
        outcomes: Outcomes,
        hears: Callable[[str], bool],
        bell: Doorbell,
        why: Why,
        operator: OperatorDesk,
        admins: Sequence[int],
        own_data: OwnData,
        bot_name: Callable[[], str | None],
    ) -> None:
        self._markets = markets
        self._books = books
        self._watch = watch
        self._status = status
        self._shown = MarketPictures(pictures, hindsight, clock)
        self._hindsight = hindsight
        self._survey = LiveSurvey(
            hindsight=hindsight, scanner=scanner, pictures=pictures, clock=clock, simulated=simulated
        )
        self._clock = clock
        self._simulated = simulated
        self._rules_per_chat = rules_per_chat
        self._outcomes = outcomes
        self._hears = hears
        self._bell = bell
        self._why = why
        self._operator = operator
        self._admins = frozenset(admins)
        self._own_data = own_data
        self._bot_name = bot_name
        self._ranking: Sequence[str] = ()

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def exchanges(self) -> Sequence[str]:
        return self._markets.exchanges()

    def resolve(self, text: str, *, exchange: str = "") -> Resolution:
        if not self._markets.symbols():
            # Nothing is known yet, which is not the same as a symbol that nobody lists.
            raise MarketUnavailableError(Market("", text.rpartition(":")[2][:20].upper()), "exchange_down")
        book = self._markets.book
        found = book.resolve(text)
        if found is None:
            return Resolution(None, book.nearest(text))
        named, market = book.venue_named(text), Market(found.exchange, found.symbol)
        if exchange and named is None and (preferred := book.resolve(f"{exchange}:{text.strip()}")) is not None:
            return Resolution(Market(preferred.exchange, preferred.symbol))
        combined = self._markets.combined(found) if named in (None, COMBINED) else None
        return Resolution(combined if named and combined else market, combined=combined)

    def popular(self) -> Sequence[str]:
        return self.traded()[:6]

    def traded(self) -> Sequence[str]:
        listed = dict.fromkeys(self._markets.symbols())
        first = [symbol for symbol in dict.fromkeys((*self._ranking, *POPULAR)) if symbol in listed]
        return list(dict.fromkeys((*first, *listed)))

    def rank_by_volume(self, volumes: Mapping[str, float]) -> None:
        """Offer the most traded first."""
        self._ranking = sorted(volumes, key=lambda symbol: -volumes[symbol])

    async def view(self, market: Market, *, range_ms: int | None = None) -> MarketView:
        try:
            live = await self._markets.open(market)
            reading = live.reading if range_ms is None else await self._markets.read_within(market, range_ms)
        except NoMapError as error:
            raise MarketUnavailableError(market, error.reason) from None
        return self.view_of(live, reading)

    def view_of(self, live: LiveMarket, reading: Reading | None = None) -> MarketView:
        """What is known of an open market; the zones of its tracks, or of a reading of its own range."""
        if reading is None or reading is live.reading:
            reading = live.reading
            found = [(track.cluster, track.id) for track in self._watch.tracks(live.market) if not track.missed]
        else:
            found = []
        if not found:
            found = [(cluster, "") for cluster in reading.clusters]
        marked = live.surroundings.marked(cluster for cluster, _ in found)
        found = [(cluster, track_id) for cluster, (_, track_id) in zip(marked, found, strict=True)]
        clusters = tuple(
            ClusterView(
                cluster=cluster,
                track_id=track_id,
                distance_pct=distance_pct(cluster, live.price),
                touch=touch_odds(cluster, live.price, reading.volatility),
            )
            for cluster, track_id in sorted(found, key=lambda pair: (-pair[0].strength, -pair[0].usd))
        )
        return MarketView(
            market=live.market,
            base=live.instrument.base,
            tick_size=live.instrument.tick_size,
            price=live.price,
            price_ms=live.price_ms,
            map=reading.map,
            clusters=clusters,
            simulated=not self._simulated.isdisjoint({live.market.exchange, *(part.venue for part in reading.parts)}),
            daily_move_pct=100.0 * reading.volatility.day,
            proven=reading.proven,
            parts=reading.parts,
            known_share=reading.known_share,
            choices=tuple(self._markets.choices(live.market)),
        )

    async def ground(self, market: Market) -> GroundView:
        try:
            live = await self._markets.open(market)
            wide = await self._markets.read_within(market, None, window=WIDE_WINDOW)
            tiers_from, tiers = await self._markets.tiers_of(market)
        except NoMapError as error:
            raise MarketUnavailableError(market, error.reason) from None
        await look_for_walls(live, self._markets.parts(live.market), self._books)
        view = self.view_of(live)
        return GroundView(
            view=view,
            ground=ground_of(view.map, [shown.cluster for shown in view.clusters], wide),
            volatility=wide.volatility,
            tiers=tiers or (),
            tiers_from=tiers_from,
            fee_rate=FEE_IN_REQUIREMENT.get(tiers_from.exchange, 0.0),
        )

    async def books(self, markets: Sequence[Market]) -> Mapping[Market, Depth]:
        return await self._books.read_each(markets)

    async def picture(
        self,
        view: MarketView,
        *,
        look: Look,
        range_ms: int | None = None,
        by_leverage: bool = False,
        level: float | None = None,
    ) -> tuple[bytes, str] | None:
        return await self._shown.of_map(view, look=look, range_ms=range_ms, by_leverage=by_leverage, level=level)

    async def cascade_picture(self, cascade: CascadeView, *, look: Look) -> tuple[bytes, str] | None:
        return await self._shown.of_cascade(cascade, look=look)

    async def heatmap(self, view: MarketView, *, look: Look, range_ms: int) -> tuple[bytes, str] | None:
        return await self._shown.of_past(view, look=look, range_ms=range_ms)

    async def lives(self, market: Market, *, range_ms: int) -> LivesView:
        view = await self.view(market)
        try:
            lives, bars = await self._hindsight.lives(market, range_ms)
        except NoMapError as error:
            raise MarketUnavailableError(market, error.reason) from None
        return lives_view(view, lives, bars, range_ms=range_ms)

    async def lives_picture(self, view: LivesView, *, look: Look) -> tuple[bytes, str] | None:
        return await self._shown.of_lives(view, look=look)

    def survey(self) -> LiveSurvey:
        return self._survey

    async def add_rule(self, rule: Rule) -> AddedRule:
        if rule.market == EVERYWHERE:
            added = await self._store(rule)
            return AddedRule(added.rule, None, added.existed, first=added.first)
        if rule.kind is Kind.CASCADE and rule.market.exchange == COMBINED:
            # Liquidations are counted as one exchange prints them: the first that lists the coin is watched.
            rule = replace(rule, market=next(iter(self._markets.parts(rule.market)), rule.market))
        try:
            live = await self._markets.open(rule.market)
        except NoMapError as error:
            if error.reason in FOR_LONG:
                raise MarketUnavailableError(rule.market, error.reason) from None
            return replace(self._added(await self._store(rule), None), blind=True)
        await self._watch.take_map(live)
        added = await self._store(rule)
        return self._added(added, live)

    def _added(self, added: Added, live: LiveMarket | None) -> AddedRule:
        track = added.look.already
        already = None if track is None or live is None else self._track_view(track, live)
        hears = self._hears(added.rule.market.exchange)
        return AddedRule(added.rule, already, added.existed, hears=hears, first=added.first)

    async def _store(self, rule: Rule) -> Added:
        try:
            return await self._watch.add(rule, limit=self._rules_per_chat)
        except RuleLimitError as error:
            raise TooManyRulesError(error.limit) from None

    async def rules(self, chat: int) -> Sequence[RuleView]:
        return [self._rule_view(rule) for rule in await self._watch.rules_of(chat)]

    async def edit_rule(self, rule: Rule) -> AddedRule | None:
        edited = await self._watch.edit(rule)
        return None if edited is None else self._added(edited, self._markets.get(rule.market))

    async def pause_rule(self, chat: int, rule_id: int) -> Rule | None:
        return await self._watch.stop(chat, rule_id, BY_HAND)

    def bot_name(self) -> str | None:
        return self._bot_name()

    def rules_limit(self) -> int:
        return self._rules_per_chat

    async def remove_rule(self, chat: int, rule_id: int) -> Rule | None:
        return await self._watch.remove(chat, rule_id)

    async def restore_rule(self, chat: int, rule_id: int) -> Rule | None:
        return await self._watch.restore(chat, rule_id, removed_since_ms=self.now_ms() - DAY_MS)

    async def snooze_rule(self, chat: int, rule_id: int, until_ms: int) -> Rule | None:
        return await self._watch.snooze(chat, rule_id, until_ms)

    async def renew_rule(self, chat: int, rule_id: int, expires_ms: int) -> Rule | None:
        return await self._watch.renew(chat, rule_id, expires_ms)

    async def quiet(self, chat: int) -> QuietView:
        now_ms = self.now_ms()
        manners, hold = self._bell.manners(chat), self._bell.hold_of(chat, now_ms=now_ms)
        view = QuietView(self._bell.quiet_hours(chat), manners.quiet_until(now_ms), manners.muted_until_ms)
        if hold is None:
            return view
        return replace(view, held=hold.events, held_since_ms=hold.since_ms, held_until_ms=hold.until_ms)

    async def set_quiet(self, chat: int, hours: QuietHours | None) -> None:
        await self._watch.set_quiet(chat, hours)

    async def preferences(self, chat: int) -> Preferences:
        return self._bell.preferences(chat)

    async def prefer(self, chat: int, chosen: Preferences) -> None:
        await self._watch.prefer(chat, chosen)

    def terms(self) -> TermsView:
        return self._own_data.terms()

    async def export(self, chat: int) -> StoredView:
        return await self._own_data.export(chat)

    async def forget(self, chat: int) -> None:
        await self._watch.forget(chat)

    async def mute(self, chat: int, until_ms: int) -> None:
        await self._watch.mute(chat, until_ms)

    async def why_told(self, chat: int, message_id: int) -> Sequence[ToldView]:
        return await self._why.told(chat, message_id)

    async def why_silent(self, chat: int, rule_id: int) -> WhyView | None:
        return await self._why.silent(chat, rule_id)

    async def decisions(self, chat: int) -> Sequence[LogEntry]:
        return await self._why.lately(chat)

    async def status(self, chat: int) -> StatusView:
        watched = [rule.market for rule in await self._watch.rules_of(chat)]
        return self._status.view([market for market in watched if market != EVERYWHERE])

    async def stats(self, chat: int) -> StatsView:
        since_ms = self.now_ms() - STATS_DAYS * DAY_MS
        outcomes = await self._outcomes.of_chat(chat, since_ms=since_ms)
        rules = {rule.id: rule for rule in await self._watch.rules_of(chat)}
        return StatsView(
            days=STATS_DAYS,
            total=hit_rate(outcomes),
            kinds=tuple(by_kind(outcomes).items()),
            rules=tuple((rule_id, rules.get(rule_id), rate) for rule_id, rate in by_rule(outcomes).items()),
        )

    def operator(self, user: int | None) -> OperatorDesk | None:
        return self._operator if user in self._admins else None

    def _track_view(self, track: Track, live: LiveMarket) -> ClusterView:
        return ClusterView(
            cluster=track.cluster,
            track_id=track.id,
            distance_pct=distance_pct(track.cluster, live.price),
            touch=touch_odds(track.cluster, live.price, live.reading.volatility),
        )

    def _rule_view(self, rule: Rule) -> RuleView:
        if rule.market == EVERYWHERE:
            return RuleView(rule, Phase.ARMED, None, due_ms=self._watch.digest_due_ms(rule))
        standing = self._watch.standing(rule)
        if standing is None:
            return RuleView(rule, None, None)
        return RuleView(rule, standing.phase, standing.distance_pct, standing.cooling_until_ms, told=standing.told)
