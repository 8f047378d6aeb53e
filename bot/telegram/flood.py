"""How much one chat may ask in a minute: beyond that it hears so once, and is then passed over in silence."""

from collections import deque
from typing import Literal

Verdict = Literal["answer", "warn", "pass_over"]


class Flood:
    """Sliding minutes by chat."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._asked: dict[int, deque[float]] = {}
        self._warned: set[int] = set()

    def verdict(self, chat_id: int, now_s: float) -> Verdict:
        """What to do about one more request of this chat; passed-over requests do not prolong the wait."""
        asked = self._asked.setdefault(chat_id, deque())
        while asked and asked[0] <= now_s - 60:
            asked.popleft()
        if len(asked) < self._per_minute:
            asked.append(now_s)
            self._warned.discard(chat_id)
            return "answer"
        if chat_id in self._warned:
            return "pass_over"
        self._warned.add(chat_id)
        return "warn"

    def forget_idle(self, now_s: float) -> None:
        """Let go of chats that have asked nothing for a minute."""
        idle = [chat for chat, asked in self._asked.items() if not asked or asked[-1] <= now_s - 60]
        for chat in idle:
            del self._asked[chat]
            self._warned.discard(chat)
