"""The Messenger that speaks to Telegram.

One call makes one message, and one request decides whether it was delivered: what the server refuses outright may be
sent again in a plainer form, what may have arrived never is.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from telegram import (
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram import Message as SentMessage
from telegram.constants import ParseMode

from bot.delivery.messenger import BadMessageError, Button, DeliveryError, Document, Keyboard, Message, TopicGoneError
from bot.liquidation.values import replace
from bot.telegram import limits
from bot.telegram.connection import Line
from bot.telegram.errors import (
    NotModifiedError,
    OtherKindError,
    PictureRefusedError,
    QueryTooOldError,
    TooLongError,
    UnsupportedError,
    translated,
)
from bot.telegram.pictures import Pictures

T = TypeVar("T")

PHOTO_BYTES = 10_000_000
_FILE_NAME = "map.png"
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_ADDRESS = re.compile(r"<a\b|://|\b[a-z][a-z0-9-]*\.[a-z]{2,}", re.IGNORECASE)
_TIME_REFUSAL = 'tag "tg-time"'
_BUTTON_REFUSAL = re.compile(r"button|keyboard|reply.?markup", re.IGNORECASE)

_log = logging.getLogger(__name__)


class TelegramMessenger:
    """Carries messages over one line. Raises DeliveryErrors only, and none of them knows the token."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._pictures = Pictures()
        self._writes_times = True  # until the server says that it does not know their tag

    async def send(self, chat_id: int, message: Message) -> int:
        """Send and return the new message's id.

        A text that fits no caption goes as a text, which counts as the message; its picture follows as a silent reply.
        A message that the server refuses is tried once more as plain text, but for one whose point is its file.
        """
        message = self._readable(replace(message, buttons=limits.fit_keyboard(message.buttons)))
        try:
            return await self._send_once(chat_id, message)
        except TopicGoneError:
            raise
        except BadMessageError as refusal:
            if message.document is not None:
                raise
            if self._is_of_times(refusal):
                return await self.send(chat_id, message)
            _log.warning("a message was refused, sending it as plain text", extra={"chat": chat_id, "reason": refusal})
            plain = limits.plain(message)
            if _BUTTON_REFUSAL.search(str(refusal)):
                plain = replace(plain, buttons=())
        return await self._send_text(chat_id, plain)

    def picture_id(self, name: str) -> str | None:
        """What the server calls a picture that was sent somewhere before; None where it was not, or long ago."""
        return self._pictures.known(name)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        """Replace a message's text and buttons, and its picture where a new one is given.

        A text may become a picture; a picture that is given none keeps its own and gets the text as caption.
        """
        message = self._readable(limits.fit(message))
        try:
            await self._edit_once(chat_id, message_id, message)
        except NotModifiedError:
            return
        except BadMessageError as refusal:
            if not self._is_of_times(refusal):
                raise
            await self.edit(chat_id, message_id, message)

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        """Stop the button's spinner, with an optional toast; a query too old is no error."""
        toast = limits.shorten(text, limits.TOAST_UNITS) or None
        try:
            await self._call(self._line.answer_callback_query(callback_id, text=toast))
        except QueryTooOldError:
            return

    def _readable(self, message: Message) -> Message:
        """The message as this server reads it: without lone surrogates, and without times where it knows none."""
        text = message.text if self._writes_times else limits.without_times(message.text)
        return replace(message, text=text.encode("utf-8", "replace").decode("utf-8"))

    def _is_of_times(self, refusal: BadMessageError) -> bool:
        """Whether the server refuses the tag of times, an old one does; from then on it gets none."""
        if not self._writes_times or _TIME_REFUSAL not in str(refusal).lower():
            return False
        _log.warning("the server knows no times, they go as they are written", extra={"reason": refusal})
        self._writes_times = False
        return True

    async def _send_once(self, chat_id: int, message: Message) -> int:
        if message.document is not None:
            return await self._send_document(chat_id, message, message.document)
        if message.photo is None:
            return await self._send_text(chat_id, message)
        if len(message.photo) > PHOTO_BYTES:
            _log.error("a picture is over Telegram's limit", extra={"chat": chat_id, "bytes": len(message.photo)})
            return await self._send_text(chat_id, message)
        if limits.visible_length(message.text) > limits.CAPTION_UNITS:
            return await self._send_text_then_photo(chat_id, message)
        try:
            return await self._send_photo(chat_id, message)
        except TooLongError:
            return await self._send_text_then_photo(chat_id, message)
        except PictureRefusedError as refusal:
            _log.warning("a picture was refused, the text goes alone", extra={"chat": chat_id, "reason": refusal})
        return await self._send_text(chat_id, message)

    async def _send_text(self, chat_id: int, message: Message) -> int:
        text = limits.shorten_html(message.text, limits.TEXT_UNITS)
        sent = await self._call(
            self._line.send_message(
                chat_id,
                text,
                parse_mode=ParseMode.HTML,
                link_preview_options=_preview(text),
                **_envelope(message),
            )
        )
        return sent.message_id

    async def _send_photo(self, chat_id: int, message: Message) -> int:
        def request(photo: str | bytes) -> Awaitable[SentMessage]:
            return self._line.send_photo(
                chat_id,
                photo,
                filename=_FILE_NAME,
                caption=message.text or None,
                parse_mode=ParseMode.HTML,
                **_envelope(message),
            )

        sent = await self._with_picture(message, request)
        return sent.message_id

    async def _send_document(self, chat_id: int, message: Message, document: Document) -> int:
        sent = await self._call(
            self._line.send_document(
                chat_id,
                document.data,
                filename=document.name,
                caption=limits.shorten_html(message.text, limits.CAPTION_UNITS) or None,
                parse_mode=ParseMode.HTML,
                **_envelope(message),
            )
        )
        return sent.message_id

    async def _with_picture(self, message: Message, request: Callable[[str | bytes], Awaitable[T]]) -> T:
        """Make the request with the picture's file_id; with its bytes where none is known, or it is refused."""
        async with self._pictures.named(message.photo_name) as picture:
            if picture.file_id is not None:
                try:
                    return await self._call(request(picture.file_id))
                except PictureRefusedError:
                    picture.file_id = None
            sent = await self._call(request(message.photo or b""))
            picture.file_id = _file_id(sent)
            return sent

    async def _send_text_then_photo(self, chat_id: int, message: Message) -> int:
        message_id = await self._send_text(chat_id, message)
        follower = replace(message, text="", buttons=(), silent=True, reply_to=message_id)
        try:
            await self._send_photo(chat_id, follower)
        except DeliveryError as error:
            _log.warning("a picture did not follow its text", extra={"chat": chat_id, "reason": error})
        return message_id

    async def _edit_once(self, chat_id: int, message_id: int, message: Message) -> None:
        if message.photo is not None:
            try:
                return await self._edit_photo(chat_id, message_id, message)
            except (PictureRefusedError, UnsupportedError) as refusal:
                _log.warning("a picture was not replaced", extra={"chat": chat_id, "reason": refusal})
        try:
            await self._edit_text(chat_id, message_id, message)
        except OtherKindError:
            await self._edit_caption(chat_id, message_id, message)

    async def _edit_text(self, chat_id: int, message_id: int, message: Message) -> None:
        await self._call(
            self._line.edit_message_text(
                message.text,
                chat_id,
                message_id,
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(message.buttons),
                link_preview_options=_preview(message.text),
            )
        )

    async def _edit_caption(self, chat_id: int, message_id: int, message: Message) -> None:
        await self._call(
            self._line.edit_message_caption(
                chat_id,
                message_id,
                caption=limits.shorten_html(message.text, limits.CAPTION_UNITS),
                parse_mode=ParseMode.HTML,
                reply_markup=_keyboard(message.buttons),
            )
        )

    async def _edit_photo(self, chat_id: int, message_id: int, message: Message) -> None:
        def request(photo: str | bytes) -> Awaitable[SentMessage | bool]:
            media = InputMediaPhoto(photo, message.text, ParseMode.HTML, filename=_FILE_NAME)
            return self._line.edit_message_media(media, chat_id, message_id, reply_markup=_keyboard(message.buttons))

        await self._with_picture(message, request)

    async def _call(self, request: Awaitable[T]) -> T:
        return await translated(request, token=self._line.token)


def _file_id(sent: object) -> str | None:
    """What the server calls the largest size of the picture it took."""
    return sent.photo[-1].file_id if isinstance(sent, SentMessage) and sent.photo else None


def _envelope(message: Message) -> dict[str, Any]:
    """What texts and pictures are sent with alike; a reply to a message since deleted goes all the same."""
    reply = ReplyParameters(message.reply_to, allow_sending_without_reply=True) if message.reply_to else None
    return {
        "reply_markup": _keyboard(message.buttons),
        "reply_parameters": reply,
        "disable_notification": True if message.silent else None,
        "message_thread_id": message.topic,
    }


def _preview(text: str) -> LinkPreviewOptions | None:
    """Previews off, said only where the text may hold an address: not every server knows the option."""
    return _NO_PREVIEW if _ADDRESS.search(text) else None


def _keyboard(buttons: Keyboard) -> InlineKeyboardMarkup | None:
    rows = limits.fit_keyboard(buttons)
    return InlineKeyboardMarkup([[_key(button) for button in row] for row in rows]) if rows else None


def _key(button: Button) -> InlineKeyboardButton:
    copy = CopyTextButton(button.copy) if button.copy else None
    return InlineKeyboardButton(button.text, callback_data=button.data, copy_text=copy, url=button.url)
