"""Inline mode: `@bot ZRX` in any chat offers the map and the clusters of a market to share.

A picture can be offered that the server has: one that was sent somewhere within the life of its map, or that is sent
to the operator's own `cache_chat` for this. Where there is none, the map is offered in words.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from telegram import InlineQueryResultsButton

from bot.alerts.types import Market
from bot.clock import Clock
from bot.delivery.messenger import DeliveryError, Message, Messenger
from bot.telegram.commands import clusters, maps
from bot.telegram.connection import Line
from bot.telegram.desk import Desk, MarketUnavailableError
from bot.telegram.errors import QueryTooOldError, UnsupportedError, translated
from bot.telegram.flood import Flood
from bot.telegram.inbound import Asked
from bot.telegram.inline_results import Offer, results_of
from bot.telegram.scene import Scene, base_name
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Inbound

MOST_MARKETS = 5
LONGEST_QUERY = 64
PATIENCE_S = 8.0
UPLOAD_S = 4.0
CACHE_S = 30
CACHE_NOTHING_S = 5
START = "inline"
"""The start parameter of the button above the results."""

_log = logging.getLogger(__name__)


class PictureIds(Protocol):
    """Knows what the server calls pictures that it has."""

    def picture_id(self, name: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Shop:
    """Where offers come from: `messenger` sends a picture to the `cache_chat` where that is set, to get its id."""

    desk: Desk
    catalogue: Catalogue
    pictures: PictureIds
    messenger: Messenger
    clock: Clock
    is_open_to: Callable[[int], bool] = lambda user: True
    cache_chat: int | None = None


@dataclass(frozen=True, slots=True)
class Offers:
    """What is offered, or in `nothing` the key of the line that says why nothing is."""

    found: Sequence[Offer] = ()
    nothing: str = ""


class InlineAnswers:
    """Answers queries: the newest of a person's, so many a minute, several people at a time."""

    def __init__(self, line: Line, shop: Shop, *, per_minute: int, parallel: int = 4) -> None:
        self._line = line
        self._shop = shop
        self._flood = Flood(per_minute)
        self._places = asyncio.Semaphore(parallel)
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def submit(self, asked: Asked) -> None:
        """Answer this query; one of the same person that is still being answered is given up, its text has changed."""
        if (older := self._tasks.get(asked.user_id)) is not None:
            older.cancel()
        task = asyncio.create_task(self._answer(asked), name="an inline query")
        self._tasks[asked.user_id] = task
        task.add_done_callback(lambda ended: self._ended(asked.user_id, ended))

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, user: int, task: asyncio.Task[None]) -> None:
        if self._tasks.get(user) is task:
            del self._tasks[user]
        now_s = self._shop.clock.monotonic()
        self._flood.forget_idle(now_s)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("an inline query was not answered", exc_info=error)

    async def _answer(self, asked: Asked) -> None:
        verdict = self._flood.verdict(asked.user_id, self._shop.clock.monotonic())
        if verdict == "pass_over":
            return
        scene = await scene_of(self._shop, asked)
        async with self._places:
            offers = Offers(nothing="inline.flood") if verdict == "warn" else await self._offers(scene, asked)
        above = scene.texts.label(offers.nothing) if offers.nothing else scene.texts.label("inline.more")
        button = InlineQueryResultsButton(above, start_parameter=START)
        try:
            try:
                await self._send(asked, scene, offers, button)
            except UnsupportedError:
                await self._send(asked, scene, offers, None)
        except QueryTooOldError:
            return
        except DeliveryError as error:
            _log.warning("an inline query was not answered", extra={"reason": error})

    async def _send(self, asked: Asked, scene: Scene, offers: Offers, button: InlineQueryResultsButton | None) -> None:
        """Answer; not every server knows the button above the results."""
        request = self._line.answer_inline_query(
            asked.query_id,
            results_of(offers.found, scene.texts, bot_name=self._line.known_name),
            cache_time=CACHE_S if offers.found else CACHE_NOTHING_S,
            is_personal=True,
            button=button,
        )
        await translated(request, token=self._line.token)

    async def _offers(self, scene: Scene, asked: Asked) -> Offers:
        if not self._shop.is_open_to(asked.user_id):
            return Offers(nothing="inline.private")
        return await offers_for(self._shop, scene, asked.text[:LONGEST_QUERY])


async def scene_of(shop: Shop, asked: Asked) -> Scene:
    """The scene of whoever asks, by their own preferences; what they share is read by others."""
    inbound = Inbound(0, asked.user_id, "supergroup", user_id=asked.user_id, language=asked.language, may_change=False)
    return Scene.of(shop.desk, shop.catalogue, inbound, await shop.desk.preferences(asked.user_id))


async def offers_for(shop: Shop, scene: Scene, typed: str) -> Offers:
    """The maps of the markets that a text means, the most traded where it is empty; of a single one its table too."""
    span, symbol = maps.range_of(typed.split()) if typed.strip() else ("", "")
    try:
        markets = _markets(scene, symbol)
    except MarketUnavailableError:
        return Offers(nothing="inline.no_map")
    if not markets:
        return Offers(nothing="inline.unknown")
    found: list[Offer] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            for market in markets:
                found += await _of_market(shop, scene, market, span, alone=len(markets) == 1)
    except TimeoutError:
        _log.info("an inline query waits no longer for maps", extra={"markets": len(markets), "found": len(found)})
    return Offers(found, nothing="" if found else "inline.no_map")


def _markets(scene: Scene, symbol: str) -> Sequence[Market]:
    """What a typed symbol means, else the nearest that there are."""
    desk = scene.desk
    if not symbol:
        names: Sequence[str] = desk.popular()[:MOST_MARKETS]
    else:
        resolution = desk.resolve(symbol)
        if resolution.shown is not None:
            return (resolution.shown,)
        names = resolution.nearest
    return [market for name in names if (market := desk.resolve(name).shown) is not None]


async def _of_market(shop: Shop, scene: Scene, market: Market, span: str, *, alone: bool) -> list[Offer]:
    """The map of a market, with `alone` its table as well; nothing where there is no map now."""
    texts, base = scene.texts, base_name(market)
    try:
        shown = (await maps.map_of(scene, market, span)).message
        table = (await clusters.clusters_of(scene, market, span)).message if alone else None
    except MarketUnavailableError:
        return []
    offers = []
    if shown is not None:
        file_id = await _picture_id(shop, shown, upload=alone)
        offers.append(Offer(market, base, texts.label("inline.map", base=base), shown.text, file_id))
    if table is not None:
        offers.append(Offer(market, base, texts.label("inline.clusters", base=base), table.text))
    return offers


async def _picture_id(shop: Shop, shown: Message, *, upload: bool) -> str | None:
    """What the server calls this picture; it is sent to the cache chat first where that is set and it has it not."""
    if shown.photo is None or shown.photo_name is None:
        return None
    known = shop.pictures.picture_id(shown.photo_name)
    if known is not None or shop.cache_chat is None or not upload:
        return known
    kept = Message(shown.text.partition("\n")[0], photo=shown.photo, photo_name=shown.photo_name, silent=True)
    try:
        async with asyncio.timeout(UPLOAD_S):
            await shop.messenger.send(shop.cache_chat, kept)
    except (DeliveryError, TimeoutError) as error:
        _log.warning("a picture could not be put into INLINE_CACHE_CHAT", extra={"reason": str(error) or "too slow"})
    return shop.pictures.picture_id(shown.photo_name)
