"""What a failed request to Telegram means: the table of every exception python-telegram-bot 22 raises.

A result never holds the token, nor a link to the original exception, whose requests have the token in their URLs.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    DeliveryError,
    MessengerDownError,
    NotSentError,
    TopicGoneError,
    UnknownOutcomeError,
)

T = TypeVar("T")


class NotModifiedError(BadMessageError):
    """The message already reads so."""


class QueryTooOldError(BadMessageError):
    """The button was tapped too long ago to be answered."""


class TooLongError(BadMessageError):
    """The text or caption is over the server's limit."""


class PictureRefusedError(BadMessageError):
    """The picture, or its file_id, is not accepted; the text may be."""


class OtherKindError(BadMessageError):
    """The message to edit is a picture where a text was meant, or the other way round."""


class ConflictError(MessengerDownError):
    """Another program polls with the same token, or a webhook takes its updates."""


class TokenRefusedError(MessengerDownError):
    """The server does not accept the token."""


class UnsupportedError(BadMessageError):
    """This server does not know the method or the option."""


# Phrases of the server's descriptions, lower case. The first that is found decides.
_REFUSALS: tuple[tuple[type[DeliveryError], tuple[str, ...]], ...] = (
    (NotModifiedError, ("message is not modified",)),
    (QueryTooOldError, ("query is too old", "query id is invalid")),
    (TopicGoneError, ("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid")),
    (TooLongError, ("message is too long", "caption is too long", "message_too_long", "caption_too_long")),
    (OtherKindError, ("there is no text in the message", "there is no caption in the message")),
    (
        PictureRefusedError,
        (
            "photo_",
            "image_process_failed",
            "media_empty",
            "media_invalid",
            "wrong file identifier",
            "wrong remote file identifier",
            "wrong file_id",
            "file is too big",
            "too big for a photo",
            "file must be non-empty",
            "rights to send photos",
            "request entity too large",
        ),
    ),
    (UnsupportedError, ("is not supported yet", "method not implemented", "method not found", "does not model")),
    (
        ChatGoneError,
        (
            "chat not found",
            "peer_id_invalid",
            "user is deactivated",
            "user_is_blocked",
            "chat was deactivated",
            "bot is not a member",
            "need administrator rights in the channel",
            "rights to send text messages",
            "no rights to send a message",
            "chat_write_forbidden",
            "chat_restricted",
        ),
    ),
)

# Exceptions of httpx before any byte of the request could leave (by name: only `market` imports httpx).
_BEFORE_SENDING = frozenset(
    {
        "PoolTimeout",
        "ConnectTimeout",
        "ConnectError",
        "ProxyError",
        "UnsupportedProtocol",
        "LocalProtocolError",
        "InvalidURL",
    }
)


def delivery_error(error: Exception, *, token: str) -> DeliveryError:
    """Translate. BadRequest and TimedOut are NetworkErrors, so the order of these tests matters."""
    text = _sentence(error, token)
    if type(error.__cause__) is TelegramError:  # not the Bot API's JSON: a gateway's page, whatever its status
        return UnknownOutcomeError("the reply was not JSON")
    match error:
        case RetryAfter():
            return NotSentError(text, retry_after_s=_seconds(error.retry_after))
        case ChatMigrated():
            return ChatMigratedError(text, new_chat_id=error.new_chat_id)
        case InvalidToken() | EndPointNotFound():
            return TokenRefusedError("Telegram does not accept the bot's token")
        case Conflict():
            return ConflictError(text)
        case Forbidden():
            return ChatGoneError(text)
        case BadRequest():
            return _refusal(text) or BadMessageError(text)
        case NetworkError() if cause := error.__cause__:
            return _transport_failure(type(cause).__name__)
        case TimedOut():
            return UnknownOutcomeError(text)
        case NetworkError() if "too many requests" in text.lower():  # a 429 that names no time
            return NotSentError(text, retry_after_s=1.0)
        case NetworkError():
            refusal = _refusal(text)
            return refusal if isinstance(refusal, UnsupportedError | PictureRefusedError) else UnknownOutcomeError(text)
        case _:
            return UnknownOutcomeError(f"the reply could not be read: {type(error).__name__}")


async def translated(request: Awaitable[T], *, token: str) -> T:
    """Await a request; what it raises comes out as a DeliveryError that leads back to no other exception."""
    try:
        return await request
    except Exception as error:
        failure = delivery_error(error, token=token)
    raise failure


def _sentence(error: Exception, token: str) -> str:
    """The server's own description, or a plain name where the text may quote a page or an address."""
    if not isinstance(error, TelegramError) or error.__cause__ is not None:
        return f"the reply could not be read: {type(error).__name__}"
    return error.message.replace(token, "[token]")[:300]


def _seconds(wait: int | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def _transport_failure(name: str) -> DeliveryError:
    if name in _BEFORE_SENDING:
        return NotSentError(f"not sent: {name}")
    if name == "UnicodeEncodeError":
        return BadMessageError("the text has characters that cannot be encoded")
    return UnknownOutcomeError(f"no reply: {name}")


def _refusal(text: str) -> DeliveryError | None:
    lowered = text.lower()
    for kind, phrases in _REFUSALS:
        if any(phrase in lowered for phrase in phrases):
            return kind(text)
    return None
