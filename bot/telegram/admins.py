"""Who may change a group's rules: its admins, asked of Telegram and remembered for a minute."""

import logging
from collections import OrderedDict

from telegram.constants import ChatMemberStatus

from bot.clock import Clock
from bot.delivery.messenger import DeliveryError
from bot.telegram.connection import Line
from bot.telegram.errors import translated

_ADMINS = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})
_log = logging.getLogger(__name__)


class Admins:
    """Ranks by (chat, user), each kept for `keep_s`; what cannot be asked is answered as last known, else with no."""

    def __init__(self, line: Line, clock: Clock, *, keep_s: float = 60.0, capacity: int = 10_000) -> None:
        self._line = line
        self._clock = clock
        self._keep_s = keep_s
        self._capacity = capacity
        self._known: OrderedDict[tuple[int, int], tuple[float, bool]] = OrderedDict()

    async def is_admin(self, chat_id: int, user_id: int) -> bool:
        """Whether this person is the owner or an admin of the chat."""
        asked_s, known = self._known.get((chat_id, user_id), (float("-inf"), False))
        if self._clock.monotonic() - asked_s < self._keep_s:
            return known
        try:
            member = await translated(self._line.get_chat_member(chat_id, user_id), token=self._line.token)
        except DeliveryError as error:
            _log.warning("could not ask who is an admin", extra={"chat": chat_id, "reason": error})
            return known
        answer = member.status in _ADMINS
        self._known[chat_id, user_id] = self._clock.monotonic(), answer
        self._known.move_to_end((chat_id, user_id))
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
        return answer
