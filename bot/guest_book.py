"""Who is let in: by the settings, and by what operators decided since."""

from collections.abc import Callable, Collection

from bot.clock import Clock
from bot.storage.guests import Guests


class GuestBook:
    """Remembers decisions; `restore` reads those of earlier runs, `changed` is called after each new one."""

    def __init__(
        self,
        guests: Guests,
        clock: Clock,
        *,
        allowlist: bool,
        allowed: Collection[int],
        operators: Collection[int],
        changed: Callable[[], None],
    ) -> None:
        self._guests = guests
        self._clock = clock
        self._allowed = frozenset(allowed)
        self._operators = frozenset(operators)
        self._changed = changed
        self._decided: dict[int, bool] = {}
        self.allowlist = allowlist

    async def restore(self) -> None:
        self._decided = dict(await self._guests.all())

    def is_open_to(self, *ids: int | None) -> bool:
        """Whether one of these, a chat and whoever speaks in it, is let in and neither was turned away."""
        known = {one for one in ids if one is not None}
        if known & self._operators:
            return True
        if any(self._decided.get(one) is False for one in known):
            return False
        return not self.allowlist or any(one in self._allowed or self._decided.get(one) for one in known)

    async def decide(self, guest: int, *, allowed: bool) -> bool:
        """Let somebody in or turn them away; False where it is an operator, whom nobody turns away."""
        if not allowed and guest in self._operators:
            return False
        await self._guests.decide(guest, allowed=allowed, now_ms=self._clock.now_ms())
        self._decided[guest] = allowed
        self._changed()
        return True

    @property
    def let_in(self) -> int:
        """How many are let in by name."""
        return len({*self._allowed, *(one for one, allowed in self._decided.items() if allowed)} - self._turned_away())

    @property
    def turned_away(self) -> int:
        return len(self._turned_away())

    def _turned_away(self) -> set[int]:
        return {one for one, allowed in self._decided.items() if not allowed}
