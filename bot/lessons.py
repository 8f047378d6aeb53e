"""What each market has taught about its leverage and turnover, kept over a restart and learned anew when it is time."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.alerts.types import Market
from bot.liquidation import DEFAULT, MODEL_VERSION, History, ModelParameters, RiskTier
from bot.liquidation.learning import Learned, adopted, is_due, learn_positions
from bot.liquidation.parameters import parameters_of
from bot.market.feed import Stretch
from bot.market.history import liquidations_of_cover
from bot.storage.database import Database
from bot.storage.errors import StorageError
from bot.storage.maps import ModelState

MOST_AT_ONCE = 30
"""Markets that learn for the first time or again within one bar: each takes up to a second, and alerts go first."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lesson:
    """The newest learning of a market, and the parameters that its map is made with."""

    newest: Learned
    parameters: ModelParameters


class Lessons:
    """Teaches the position model from the histories and prints in the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lessons: dict[Market, Lesson | None] = {}
        self._turn = asyncio.Lock()
        self._now_ms = 0
        self._taught = 0

    async def attend(
        self, market: Market, history: History, tiers: Sequence[RiskTier] | None, *, anew: bool = False
    ) -> ModelParameters:
        """The parameters for a market's map at the end of its history. Where it is time they are learned first.

        `anew` reads what is stored of the market again: another process may have learned since.

        One market learns at a time; the others do not wait for it, they learn at a later map. A disk that fails costs
        a lesson, never a map.
        """
        try:
            if anew or market not in self._lessons:
                self._lessons[market] = await self._stored(market)
            lesson = self._lessons[market]
            cover = await self._db.prints.cover(
                market.exchange, start_ms=int(history.open_ms[0]), end_ms=history.end_ms
            )
            due = is_due(lesson.newest if lesson else None, history, cover)
            if due and not self._turn.locked() and self._may_teach(history.end_ms):
                async with self._turn:
                    lesson = await self._learn(market, history, tiers, cover, lesson)
        except StorageError:
            log.exception("%s %s learns nothing now", *market)
            lesson = self._lessons.get(market)
        return DEFAULT if lesson is None else lesson.parameters

    def lesson(self, market: Market) -> Lesson | None:
        """What is known of a market's positions; None where nothing was learned yet."""
        return self._lessons.get(market)

    def _may_teach(self, now_ms: int) -> bool:
        if now_ms > self._now_ms:
            self._now_ms, self._taught = now_ms, 0
        self._taught += 1
        return self._taught <= MOST_AT_ONCE

    async def _learn(
        self,
        market: Market,
        history: History,
        tiers: Sequence[RiskTier] | None,
        cover: Sequence[Stretch],
        known: Lesson | None,
    ) -> Lesson:
        prints = await self._db.prints.load(market, start_ms=int(history.open_ms[0]), end_ms=history.end_ms)
        heard = liquidations_of_cover(prints, cover, exchange=market.exchange, tiers=tiers)
        newest = await asyncio.to_thread(learn_positions, history, heard, cover=cover, tiers=tiers)
        lesson = Lesson(newest, adopted(DEFAULT if known is None else known.parameters, newest, tiers))
        self._lessons[market] = lesson
        state = ModelState(market, MODEL_VERSION, newest.time_ms, _payload(lesson))
        await self._db.maps.save_model(state)
        log.info(
            "%s %s learned from %.0f liquidations and %d bars of open interest%s",
            *market,
            newest.effective_events,
            newest.bars,
            "" if lesson.parameters == newest.parameters else ": too little that is new to change the map",
        )
        return lesson

    async def _stored(self, market: Market) -> Lesson | None:
        state = await self._db.maps.load_model(market)
        if state is None or state.version != MODEL_VERSION:
            return None
        try:
            return _lesson(json.loads(state.payload))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("what %s %s had taught is unreadable and is learned anew: %s", *market, error)
            return None


def _payload(lesson: Lesson) -> bytes:
    return json.dumps({"newest": asdict(lesson.newest), "parameters": asdict(lesson.parameters)}).encode()


def _lesson(plain: Mapping[str, Any]) -> Lesson:
    """Raises KeyError, TypeError or ValueError on anything that `_payload` did not write."""
    newest = {**plain["newest"], "parameters": parameters_of(plain["newest"]["parameters"])}
    return Lesson(Learned(**newest), parameters_of(plain["parameters"]))
