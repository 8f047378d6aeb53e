"""A messenger that does what a script says: deliver, refuse, lose the answer, hang."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from bot.clock import Clock
from bot.delivery.messenger import Message


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that a person can see."""

    chat: int
    message: Message
    message_id: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Step:
    """One scripted answer: wait, deliver or not, then raise or not."""

    error: Exception | None = None
    delivers: bool = False
    after_s: float = 0.0


class FakeMessenger:
    """Delivers everything unless scripted. `calls` are attempts, `delivered` what arrived, both in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._scripts: defaultdict[int | None, deque[Step]] = defaultdict(deque)
        self._always: Callable[[int, Message], Step | None] | None = None
        self.calls: list[tuple[int, int]] = []
        self.delivered: list[Delivered] = []
        self.in_flight: set[int] = set()
        self.most_in_flight = 0

    def refuse(self, error: Exception, *, chat: int | None = None, times: int = 1, after_s: float = 0.0) -> Self:
        """The next attempts (to that chat) raise, and nothing arrives."""
        return self._script(chat, times, Step(error, after_s=after_s))

    def lose_answer(self, error: Exception, *, chat: int | None = None, times: int = 1, after_s: float = 0.0) -> Self:
        """The next attempts arrive, and raise nevertheless."""
        return self._script(chat, times, Step(error, delivers=True, after_s=after_s))

    def delay(self, seconds: float, *, chat: int | None = None, times: int = 1) -> Self:
        """The next attempts arrive late."""
        return self._script(chat, times, Step(delivers=True, after_s=seconds))

    def whenever(self, answer: Callable[[int, Message], Step | None]) -> Self:
        """What each attempt meets that no script is left for; None delivers."""
        self._always = answer
        return self

    async def send(self, chat_id: int, message: Message) -> int:
        assert chat_id not in self.in_flight, "two messages at once to one chat"
        self.in_flight.add(chat_id)
        self.most_in_flight = max(self.most_in_flight, len(self.in_flight))
        self.calls.append((self._clock.now_ms(), chat_id))
        try:
            step = self._next(chat_id, message)
            if step.after_s:
                await asyncio.sleep(step.after_s)
            if step.delivers:
                self.delivered.append(Delivered(chat_id, message, len(self.delivered) + 1, self._clock.now_ms()))
            if step.error:
                raise step.error
            return len(self.delivered)
        finally:
            self.in_flight.discard(chat_id)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        await self.send(chat_id, message)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        self.calls.append((self._clock.now_ms(), 0))

    def texts(self, chat: int | None = None) -> list[str]:
        """What arrived (in one chat), in order."""
        return [item.message.text for item in self.delivered if chat is None or item.chat == chat]

    def _script(self, chat: int | None, times: int, step: Step) -> Self:
        self._scripts[chat].extend([step] * times)
        return self

    def _next(self, chat: int, message: Message) -> Step:
        for script in (self._scripts[chat], self._scripts[None]):
            if script:
                return script.popleft()
        return (self._always and self._always(chat, message)) or Step(delivers=True)
