"""The composition root: builds the rooms, wires them, and does the periodic work that `jobs` calls for."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from bot.aftermath import Aftermath
from bot.alerts.engine import Engine
from bot.alerts.market_book import AFTER_MS
from bot.alerts.types import Event, Market
from bot.broadcasting import Broadcasting
from bot.combined_markets import CombinedMarkets
from bot.compose import Composer
from bot.delistings import Delistings
from bot.delivery.limits import RateLimiter
from bot.delivery.settlement import Count
from bot.delivery.worker import OutboxWorker
from bot.doorbell import Doorbell
from bot.freshness import STALE_MS
from bot.guest_book import GuestBook
from bot.hindsight import Hindsight
from bot.jobs import Jobs
from bot.live_desk import LiveDesk
from bot.map_round import MapRound
from bot.market.exchange import ExchangeError, KnowsPositions, UnknownSymbolError
from bot.market.feed import MarketStream
from bot.market.priority import Priority, asking_as
from bot.missed import AlertFolding
from bot.operator_desk import OperatorDesk
from bot.order_books import OrderBooks
from bot.own_data import OwnData
from bot.pictures import PictureDesk
from bot.price_reader import PriceReader
from bot.reachability import Reachability
from bot.scanner import Scanner
from bot.side_by_side import each
from bot.skill_meter import SkillMeter
from bot.stale_notices import StaleNotices
from bot.status import StatusBoard
from bot.storage.errors import StorageError
from bot.storage.slots import Slot
from bot.telegram.conversation import Conversation
from bot.telegram.texts import Catalogue
from bot.ticks import Ticks
from bot.warming import FIRST_MS, Warmer
from bot.watch import Watch
from bot.why import Why
from bot.work import BARS, RECOMPUTE
from bot.world import Limits, World

__all__ = ["App", "Limits", "World"]

log = logging.getLogger(__name__)


class App:
    """The whole bot but its ears. Made by `build`."""

    def __init__(
        self,
        world: World,
        limits: Limits,
        engine: Engine,
        limiter: RateLimiter | None = None,
        count: Count = lambda outcome, messages: None,
    ) -> None:
        self._world = world
        self._history_days = limits.history_days
        self._why_days = limits.why_days
        self._reach = Reachability(world.exchanges, world.db)
        self._contract_news_ms = 0
        self._errand: asyncio.Task[None] | None = None
        self._chats_changed = False
        self._listeners: list[Callable[[Sequence[Event]], None]] = []
        self.catalogue = Catalogue.load()
        self.pictures = PictureDesk()
        self.meter = SkillMeter(db=world.db, clock=world.clock, feeds=world.feeds)
        self.markets = CombinedMarkets(
            exchanges=world.exchanges,
            db=world.db,
            history_days=limits.history_days,
            calibration=self.meter.calibration,
            stale_ms=max(STALE_MS, int(3 * limits.tick_s * 1000)),
            first_ms=None if limits.warm_symbols is None else FIRST_MS,
            elsewhere=None if world.workers is None else world.workers.drawn,
        )
        self.hindsight = Hindsight(self.markets, world.db)
        self.composer = Composer(
            db=world.db,
            markets=self.markets,
            pictures=self.pictures,
            catalogue=self.catalogue,
            clock=world.clock,
            simulated=world.simulated,
            played=world.played,
            bot_name=world.bot_name,
        )
        self.worker = OutboxWorker(
            db=world.db,
            messenger=world.messenger,
            compose=self.composer.compose,
            clock=world.clock,
            limiter=limiter,
            chat_gone=lambda chat, reason: self.chats_changed(),
            chat_moved=lambda old, new: self.chats_changed(),
            folding=None if world.played else AlertFolding(limits.alert_fresh_ms),
            count=count,
            admins=limits.admin_ids,
            may_send=world.may_send,
        )
        # A played market may stand still between its ticks: there nobody waits for what else comes.
        group_ms = 0 if world.played else limits.group_ms
        self.bell = Doorbell(world.db, per_hour=limits.alerts_per_hour, group_ms=group_ms)
        self.aftermath = Aftermath(world.db, world.clock)
        self.watch = Watch(
            db=world.db,
            clock=world.clock,
            engine=engine,
            on_events=self._decided,
            bell=self.bell,
            aftermath=self.aftermath,
        )
        books = OrderBooks(world.exchanges, world.clock)
        self._maps = MapRound(markets=self.markets, watch=self.watch, meter=self.meter, books=books)
        self._ticks = Ticks(
            readers={
                name: PriceReader(exchange, world.feeds.get(name), world.clock)
                for name, exchange in world.exchanges.items()
            },
            exchanges=world.exchanges,
            reach=self._reach,
            markets=self.markets,
            watch=self.watch,
            meter=self.meter,
            patience_s=limits.tick_s / 2,
        )
        self.delistings = Delistings(markets=self.markets, watch=self.watch, clock=world.clock, queued=self.worker.wake)
        self.warmer = Warmer(
            exchanges=world.exchanges,
            markets=self.markets,
            clock=world.clock,
            watched=self.watched_parts,
            most=limits.warm_symbols or 0,
        )
        self.notices = StaleNotices(
            db=world.db, clock=world.clock, bell=self.bell, rules=self.watch.rules, queued=self.worker.wake
        )
        self.status = StatusBoard(
            exchanges=world.exchanges,
            markets=self.markets,
            meter=self.meter,
            clock=world.clock,
            simulated=world.simulated,
            warmer=None if limits.warm_symbols is None else self.warmer,
        )
        self.guests = GuestBook(
            world.db.guests,
            world.clock,
            allowlist=limits.allowlist,
            allowed=limits.allowed_ids,
            operators=limits.admin_ids,
            changed=self.chats_changed,
        )
        self.broadcasting = Broadcasting(world.db, world.clock, self.worker.wake)
        self.scanner = Scanner(
            markets=self.markets,
            exchanges=world.exchanges,
            books=books,
            clock=world.clock,
            candidates=self.warmer.wanted,
            simulated=world.simulated,
        )
        self.desk = LiveDesk(
            markets=self.markets,
            books=books,
            scanner=self.scanner,
            watch=self.watch,
            status=self.status,
            pictures=self.pictures,
            hindsight=self.hindsight,
            clock=world.clock,
            simulated=world.simulated,
            rules_per_chat=limits.rules_per_chat,
            outcomes=world.db.outcomes,
            hears=self.meter.hears,
            bell=self.bell,
            why=Why(
                db=world.db,
                clock=world.clock,
                watch=self.watch,
                exchanges=world.exchanges,
                contract_of=self.composer.contract_of,
            ),
            operator=OperatorDesk(
                db=world.db,
                status=self.status,
                watch=self.watch,
                clock=world.clock,
                guests=self.guests,
                queued=self.worker.wake,
            ),
            admins=limits.admin_ids,
            own_data=OwnData(world.db.whole_chat, world.clock, why_days=limits.why_days, source_url=limits.source_url),
            bot_name=world.bot_name,
        )
        self.conversation = Conversation(self.desk, self.catalogue, world.channels)
        self.jobs = Jobs(
            read_prices=self.read_prices,
            fetch_bars=self.fetch_bars,
            recompute=self.recompute,
            refresh_instruments=self.refresh_instruments,
            clean_up=self.clean_up,
            hear=self.meter.hear,
            measure=self.measure,
            ask_accounts=self.ask_accounts,
            broadcast=self.broadcasting.go_on,
        )

    @classmethod
    async def build(
        cls,
        world: World,
        limits: Limits,
        *,
        limiter: RateLimiter | None = None,
        count: Count = lambda outcome, messages: None,
    ) -> "App":
        """An app that remembers what its database does. `limiter` is shared with whoever else sends.

        `count` hears what came of each message (`delivery.settlement.Outcome`).
        """
        known = world.db.alerts
        swept = await known.swept_tracks(since_ms=world.clock.now_ms() - AFTER_MS)
        engine = Engine(
            await world.db.rules.all(),
            [*await known.open_tracks(), *swept],
            await known.states(),
            pulses=await known.pulses(),
            tick_ms=int(limits.tick_s * 1000),
        )
        app = cls(world, limits, engine, limiter, count)
        await app.meter.restore()
        await app.bell.restore(now_ms=world.clock.now_ms())
        app.watch.follow_days()
        await app.aftermath.restore()
        await app.notices.restore(tuple(world.exchanges))
        await app.guests.restore()
        return app

    async def refresh_instruments(self) -> None:
        """Read which contracts there are, their risk tiers, and which are traded most."""
        traded: Counter[str] = Counter()
        answered = await self.markets.refresh_instruments()
        await self.delistings.check(answered)
        for name in answered:
            try:
                volumes = await self._world.exchanges[name].volumes()
            except ExchangeError as error:
                log.warning("volumes not refreshed: %s", error)
            else:
                traded.update(volumes)
                self.warmer.rank(name, volumes)
        if traded:
            self.desk.rank_by_volume(traded)

    async def read_prices(self) -> None:
        """One tick: every price of every exchange, judged."""
        wanted: dict[str, set[str]] = {name: set() for name in self._world.exchanges}
        for market in {*self.watched_parts(), *self.markets.opened()}:
            wanted.setdefault(market.exchange, set()).add(market.symbol)
        await self._ticks.read(wanted)
        await self.notices.check(self.markets.freshness, self._world.exchanges)
        await self._reach.keep_bans()

    async def fetch_bars(self) -> None:
        """Store the newest closed bars of every watched market, and the open interest at their close."""
        if not await self._leave_to_workers(BARS):
            with asking_as(Priority.WATCHED):
                await each(self.watched_parts(), self._fetch_newest)

    async def _leave_to_workers(self, job: str) -> bool:
        """Ask workers for this job on every watched market; False where it is to be done here."""
        if self._world.workers is None:
            return False
        parts = self.watched_parts()
        slots = [Slot(job, self.markets.window(market.exchange)[1], market) for market in parts]
        return await self._world.workers.take(slots)

    async def _fetch_newest(self, market: Market) -> None:
        try:
            await self.markets.fetch_newest(market)
        except ExchangeError as error:
            if isinstance(error, UnknownSymbolError):
                self.delistings.doubt()
            await self._reach.failed(market.exchange, error)
        except StorageError as failure:
            log.warning("the bars of %s %s could not be stored and are fetched again: %s", *market, failure)

    def _hear_contract_news(self) -> bool:
        """Whether some stream told of a contract since the last look: the lists are read anew then."""
        feeds = [feed for feed in self._world.feeds.values() if isinstance(feed, MarketStream)]
        newest_ms = max((news.time_ms for feed in feeds for news in feed.contract_news().values()), default=0)
        before_ms, self._contract_news_ms = self._contract_news_ms, max(newest_ms, self._contract_news_ms)
        return newest_ms > before_ms

    async def recompute(self) -> None:
        """Make the map of every watched market anew, and judge it."""
        if self._hear_contract_news() or self.markets.unlisted() or self.delistings.in_doubt:
            await self.refresh_instruments()
        await self._follow_rules()
        await self._leave_to_workers(RECOMPUTE)
        await self._maps.make(self._watched())
        self.markets.let_go(watched=self.watch.markets())

    def watched_parts(self) -> Sequence[Market]:
        """Every market that a watched one is made of, each on one exchange."""
        return list(dict.fromkeys(part for market in self._watched() for part in self.markets.parts(market)))

    def _watched(self) -> Sequence[Market]:
        return [market for market in self.watch.markets() if market not in self.delistings.gone]

    async def measure(self) -> None:
        """Score the maps of every watched market, and learn from what was liquidated."""
        watched = [self.markets.get(market) for market in self.watch.markets()]
        await self.meter.measure([live for live in watched if live is not None])

    async def ask_accounts(self) -> None:
        """Read what known accounts hold, where an exchange tells: the next maps have their exact prices."""
        told = [one for one in self._world.exchanges.values() if isinstance(one, KnowsPositions)]
        await asyncio.gather(*(exchange.ask_accounts() for exchange in told))

    async def clean_up(self) -> None:
        """Delete what is past its time."""
        try:
            deleted = await self._world.db.clean(
                now_ms=self._world.clock.now_ms(), history_days=self._history_days, why_days=self._why_days
            )
        except StorageError as failure:
            log.warning("cleaning up failed and is tried again: %s", failure)
        else:
            log.info("cleaned up: %s", ", ".join(f"{name} {count}" for name, count in deleted.items() if count) or "-")

    def price_ages_s(self) -> dict[str, float | None]:
        """Seconds since the newest price of each exchange; None where there was none yet."""
        newest = {name: self.markets.newest_price_ms(name) for name in self._world.exchanges}
        return {
            name: None if ms is None else max(0.0, (self._world.exchanges[name].server_now_ms() - ms) / 1000)
            for name, ms in newest.items()
        }

    def listen(self, listener: Callable[[Sequence[Event]], None]) -> None:
        """Call `listener` with the alerts of each commit."""
        self._listeners.append(listener)

    async def delivered(self) -> None:
        """Wait until no message is on its way. For markets that are played; a live one never waits."""
        outbox, clock = self._world.db.outbox, self._world.clock
        while await outbox.waiting(now_ms=clock.now_ms()):  # noqa: ASYNC110 - the rows say, not an event
            await asyncio.sleep(0.002)

    def chats_changed(self) -> None:
        """Some chat left, came back or moved: judge by the rules of those that can be written to, from now on."""
        self._chats_changed = True
        if self._errand is None or self._errand.done():
            self._errand = asyncio.create_task(self._follow_changes(), name="rules of changed chats")

    async def _follow_changes(self) -> None:
        while self._chats_changed:
            self._chats_changed = False
            await self._follow_rules()

    async def _follow_rules(self) -> None:
        try:
            await self.watch.follow_stored_rules()
        except StorageError as failure:
            log.warning("the rules could not be read and stay as they were: %s", failure)

    def _decided(self, events: Sequence[Event]) -> None:
        self.worker.wake()
        for listener in self._listeners:
            listener(events)
