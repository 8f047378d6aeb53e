"""Telegram's flood limits, as sliding windows."""

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from tests.fakes.bot_api.checks import too_many


@dataclass(slots=True)
class Rates:
    """Messages a second for the token and for one chat, and a minute for a group. Edits count."""

    token_per_s: int = 30
    chat_per_s: int = 1
    group_per_min: int = 20
    refused: int = 0
    _token: deque[float] = field(default_factory=deque)
    _chats: defaultdict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))

    def count(self, chat_id: int, now_s: float) -> None:
        """Let one message through, or refuse it with 429 and the seconds to wait."""
        per_chat, span = (self.group_per_min, 60.0) if chat_id < 0 else (self.chat_per_s, 1.0)
        wait = max(
            self._wait(self._token, self.token_per_s, 1.0, now_s),
            self._wait(self._chats[chat_id], per_chat, span, now_s),
        )
        if wait > 0:
            self.refused += 1
            raise too_many(max(1, math.ceil(wait)))
        self._token.append(now_s)
        self._chats[chat_id].append(now_s)

    @staticmethod
    def _wait(window: deque[float], limit: int, span: float, now_s: float) -> float:
        while window and window[0] <= now_s - span:
            window.popleft()
        return window[0] + span - now_s if len(window) >= limit else 0.0
