"""Public channels by symbol, the operator's PUBLIC_CHANNELS: each gets its first rules once, then is like any other.

Whoever may post in a channel changes what it is told, from a private chat with `/channel`: what was deleted there does
not come back with the next start.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.alerts.grammar import ParseError, parse_watch
from bot.alerts.types import Market, Rule
from bot.clock import Clock
from bot.delivery.messenger import DeliveryError
from bot.guest_book import GuestBook
from bot.liquidation.values import replace
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.telegram.desk import Desk, MarketUnavailableError, TooManyRulesError

FIRST_RULES = ("1.5atr", "swept", "cascade")
"""What a channel is told unless somebody changes it: price near a strong zone, a zone gone through, a cascade."""

RETRY_S = 300.0

log = logging.getLogger(__name__)

PostsIn = Callable[[int | str], Awaitable[int | None]]
"""The id of the channel of this name or id where the bot may post, None where it may not. Raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class PublicChannel:
    """One entry of PUBLIC_CHANNELS: a symbol as typed, and `@name` or an id."""

    symbol: str
    channel: int | str

    @classmethod
    def of(cls, entry: str) -> "PublicChannel":
        """The entry `BTC:@name` or `BTC:-1001234567890`."""
        symbol, _, channel = entry.rpartition(":")
        return cls(symbol, channel if channel.startswith("@") else int(channel))


class PublicChannels:
    """Sets the channels up; what cannot be done yet is tried again every few minutes, and said once."""

    def __init__(
        self,
        wanted: Sequence[PublicChannel],
        *,
        desk: Desk,
        db: Database,
        clock: Clock,
        guests: GuestBook,
        operators: Sequence[int],
        posts_in: PostsIn,
    ) -> None:
        self._left = list(wanted)
        self._desk = desk
        self._db = db
        self._clock = clock
        self._guests = guests
        self._operators = operators
        self._posts_in = posts_in
        self._told: set[PublicChannel] = set()

    async def run(self) -> None:
        """Try until every channel is set up."""
        while self._left:
            await self.set_up()
            if self._left:
                await self._clock.sleep(RETRY_S)

    async def set_up(self) -> None:
        """One attempt at each that is left."""
        for wanted in list(self._left):
            try:
                why = await self._one(wanted)
            except (DeliveryError, StorageError, MarketUnavailableError, TooManyRulesError) as error:
                why = str(error) or type(error).__name__
            if not why:
                self._left.remove(wanted)
            elif wanted not in self._told:
                self._told.add(wanted)
                log.warning(
                    "PUBLIC_CHANNELS: %s in %s is not set up yet and tried again: %s",
                    wanted.symbol,
                    wanted.channel,
                    why,
                )

    async def _one(self, wanted: PublicChannel) -> str:
        """Why it cannot be done now; empty once it is."""
        market = self._desk.resolve(wanted.symbol).market
        if market is None:
            return "no exchange lists the symbol"
        channel = await self._posts_in(wanted.channel)
        if channel is None:
            return "the bot has to be an admin there who may post"
        mark = f"public:{channel}:{market.exchange}:{market.symbol}"
        if await self._db.kv.get(mark):
            return ""
        await self._db.chats.seen(channel, kind="channel", now_ms=self._clock.now_ms())
        if not self._guests.is_open_to(channel):
            await self._guests.decide(channel, allowed=True)
        for operator in self._operators:
            await self._db.chats.ensure(operator, now_ms=self._clock.now_ms())
            await self._db.links.add(operator, channel)
        for rule in first_rules(market, channel, now_ms=self._clock.now_ms()):
            await self._desk.add_rule(rule)
        await self._db.kv.set(mark, 1)
        log.info("a public channel is set up", extra={"channel": channel, "symbol": market.symbol})
        return ""


def first_rules(market: Market, channel: int, *, now_ms: int) -> Sequence[Rule]:
    """The rules of a new public channel, as if somebody had typed them."""
    rules: list[Rule] = []
    for terms in FIRST_RULES:
        read = parse_watch(f"{market.symbol} {terms}", lambda typed: market, now_ms=now_ms)
        if isinstance(read, ParseError):
            raise TypeError(f"{terms!r} is no rule: {read.code}")
        rules += [replace(rule, chat=channel, created_ms=now_ms) for rule in read]
    return rules


async def keep(channels: PublicChannels, asked: asyncio.Event) -> None:
    """Set them up once the exchanges were `asked` for their contracts."""
    await asked.wait()
    await channels.run()
