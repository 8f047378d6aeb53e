"""How much one chat or person may ask in a minute: beyond that they hear so once, then are passed over in silence."""

from collections import deque
from collections.abc import Hashable
from typing import Literal

Verdict = Literal["answer", "warn", "pass_over"]


class Flood:
    """Sliding minutes by whoever asks."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._asked: dict[Hashable, deque[float]] = {}
        self._warned: set[Hashable] = set()

    def verdict(self, asker: Hashable, now_s: float) -> Verdict:
        """What to do about one more request of theirs; passed-over requests do not prolong the wait."""
        asked = self._asked.setdefault(asker, deque())
        while asked and asked[0] <= now_s - 60:
            asked.popleft()
        if len(asked) < self._per_minute:
            asked.append(now_s)
            self._warned.discard(asker)
            return "answer"
        if asker in self._warned:
            return "pass_over"
        self._warned.add(asker)
        return "warn"

    def forget_idle(self, now_s: float) -> None:
        """Let go of those who have asked nothing for a minute."""
        idle = [asker for asker, asked in self._asked.items() if not asked or asked[-1] <= now_s - 60]
        for asker in idle:
            del self._asked[asker]
            self._warned.discard(asker)
