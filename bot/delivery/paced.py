"""A Messenger for answers to people: they go ahead of alerts, within the same limits."""

from bot.delivery.limits import RateLimiter
from bot.delivery.messenger import Message, Messenger, NotSentError


class PacedMessenger:
    """Waits for the limiter before each call, and tells it of refusals."""

    def __init__(self, messenger: Messenger, limiter: RateLimiter) -> None:
        self._messenger = messenger
        self._limiter = limiter

    async def send(self, chat_id: int, message: Message) -> int:
        await self._limiter.acquire(chat_id, interactive=True)
        try:
            return await self._messenger.send(chat_id, message)
        except NotSentError as error:
            self._heed(chat_id, error)
            raise

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        await self._limiter.acquire(chat_id, interactive=True)
        try:
            await self._messenger.edit(chat_id, message_id, message)
        except NotSentError as error:
            self._heed(chat_id, error)
            raise

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Not limited: it makes no message, and a spinner must stop at once."""
        await self._messenger.answer_callback(callback_id, text)

    def _heed(self, chat_id: int, error: NotSentError) -> None:
        if error.retry_after_s is not None:
            self._limiter.refused(chat_id, error.retry_after_s)
