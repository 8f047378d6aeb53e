"""Who may change a group's rules: its admins. Telegram is asked at each change, so that nobody's rank outlives them."""

from telegram.constants import ChatMemberStatus

from bot.delivery.messenger import BadMessageError, ChatGoneError
from bot.telegram.connection import Line
from bot.telegram.errors import translated

_ADMINS = frozenset({ChatMemberStatus.OWNER, ChatMemberStatus.ADMINISTRATOR})


class Admins:
    """Asks a line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def is_admin(self, chat_id: int, user_id: int) -> bool:
        """Whether this person is the owner or an admin of the chat now; nobody is of a chat that the bot cannot see.

        Raises DeliveryError where Telegram cannot be asked: then nothing is changed.
        """
        try:
            member = await translated(self._line.get_chat_member(chat_id, user_id), token=self._line.token)
        except (BadMessageError, ChatGoneError):
            return False
        return member.status in _ADMINS
