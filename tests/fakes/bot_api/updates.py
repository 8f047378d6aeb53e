"""Updates waiting for the bot, and the long poll that hands them out."""

import asyncio
from typing import Any

from tests.fakes.bot_api.refusal import Refusal


class Updates:
    """A queue in which an update stays until a larger offset confirms it."""

    def __init__(self, *, first_id: int = 1000) -> None:
        self.waiting: list[dict[str, Any]] = []
        self.confirmed: list[int] = []
        self.handed_out = 0
        self.allowed: list[str] = []
        self.webhook = ""
        self._next_id = first_id
        self.polls = 0
        self._changed = asyncio.Condition()

    async def put(self, update: dict[str, Any]) -> int:
        """Queue an update; it gets the next id unless it brings its own."""
        update_id = int(update.get("update_id", self._next_id))
        self._next_id = update_id + 1
        async with self._changed:
            self.waiting.append({"update_id": update_id} | update)
            self._changed.notify_all()
        return update_id

    async def get(self, *, offset: int, limit: int, timeout_s: float, allowed: list[str] | None) -> list[Any]:
        """The next updates, at once or within the time; a second poll ends the first with 409."""
        if self.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        if allowed is not None:
            self.allowed = allowed
        async with self._changed:
            self.polls += 1
            mine = self.polls
            self._changed.notify_all()
            self._confirm(offset)
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait_for(lambda: self.polls != mine or self._ready())
            except TimeoutError:
                return []
            if self.polls != mine:
                text = "terminated by other getUpdates request; make sure that only one bot instance is running"
                raise Refusal(409, f"Conflict: {text}")
            self.handed_out += 1
            return self._ready()[:limit]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            cut = self.waiting[:offset]
        else:
            cut = [update for update in self.waiting if update["update_id"] < offset]
        self.confirmed += [update["update_id"] for update in cut]
        self.waiting = [update for update in self.waiting if update not in cut]

    def _ready(self) -> list[Any]:
        if self.allowed:
            self.waiting = [update for update in self.waiting if set(update) & set(self.allowed)]
        return self.waiting
