"""Every way a request to Telegram fails, made by a real server's real behaviour."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.delivery.messenger import (
    BadMessageError,
    ChatGoneError,
    ChatMigratedError,
    DeliveryError,
    NotSentError,
    TopicGoneError,
    UnknownOutcomeError,
)
from bot.liquidation.values import replace
from bot.telegram.connection import Line, open_line
from bot.telegram.errors import (
    ConflictError,
    NotModifiedError,
    OtherKindError,
    PictureRefusedError,
    QueryTooOldError,
    TokenRefusedError,
    TooLongError,
    UnsupportedError,
)
from tests.fakes.bot_api import FakeBotApi, Fault
from tests.fakes.png import png

CHAT = 42
TOKEN = "123456789:" + "AAErr0rTestToken-0123456789_abcdefg"
NOWHERE = 4040
Request = Callable[[Line], Awaitable[Any]]


async def say_hello(line: Line) -> Any:
    return await line.send_message(CHAT, "hello")


@dataclass(frozen=True, slots=True)
class Failure:
    """What the server does, what the line asks, and what it must mean."""

    name: str
    meaning: type[DeliveryError]
    faults: tuple[Fault, ...] = ()
    request: Request = say_hello
    line: dict[str, Any] = field(default_factory=dict)
    arrange: Callable[[FakeBotApi], Any] | None = None
    outside: Callable[[], Any] | None = None

    def __str__(self) -> str:
        return self.name


def refusal(status: int, description: str, **parameters: int) -> tuple[Fault, ...]:
    return (Fault("refuse", status=status, description=description, parameters=parameters or None),)


def bad_request(text: str) -> tuple[Fault, ...]:
    return refusal(400, f"Bad Request: {text}")


@asynccontextmanager
async def closed_port() -> AsyncIterator[str]:
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{wire.getsockname()[1]}"


@asynccontextmanager
async def full_backlog() -> AsyncIterator[str]:
    """A port that accepts no more connections and refuses none."""
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        wire.listen(0)
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(wire.getsockname())
        yield f"http://127.0.0.1:{wire.getsockname()[1]}"
        for caller in callers:
            caller.close()


@asynccontextmanager
async def address(url: str) -> AsyncIterator[str]:
    yield url


async def with_busy_pool(line: Line) -> Any:
    """Ask while the only connection waits for another reply."""
    busy = asyncio.create_task(line.send_message(CHAT, "first"))
    await asyncio.sleep(0.05)
    try:
        return await line.send_message(CHAT, "second")
    finally:
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)


async def upload(line: Line) -> Any:
    return await line.send_photo(CHAT, png(64, 40, noise=True) + bytes(8_000_000))


FAILURES = (
    # Not sent: no byte of the request could leave, or the server says so.
    Failure("connection refused", NotSentError, outside=closed_port),
    Failure("connect timeout", NotSentError, outside=full_backlog, line={"connect_timeout_s": 0.1}),
    Failure("unknown scheme", NotSentError, outside=lambda: address("gopher://127.0.0.1")),
    Failure(
        "pool timeout",
        NotSentError,
        (Fault("never"),),
        request=with_busy_pool,
        line={"connections": 1, "pool_timeout_s": 0.1},
    ),
    Failure("429", NotSentError, refusal(429, "Too Many Requests: retry after 7", retry_after=7)),
    Failure("429 that names no time", NotSentError, refusal(429, "Too Many Requests")),
    # Unknown: the request left, no reply that can be read came.
    Failure("read timeout", UnknownOutcomeError, (Fault("never"),), line={"read_timeout_s": 0.15}),
    Failure("stall after accepting", UnknownOutcomeError, (Fault("stall_after"),), line={"read_timeout_s": 0.15}),
    Failure("write timeout", UnknownOutcomeError, (Fault("deaf"),), request=upload, line={"read_timeout_s": 0.15}),
    Failure("reset before accepting", UnknownOutcomeError, (Fault("reset"),)),
    Failure("reset after accepting", UnknownOutcomeError, (Fault("reset_after"),)),
    Failure("connection closed before accepting", UnknownOutcomeError, (Fault("hang_up"),)),
    Failure("connection closed after accepting", UnknownOutcomeError, (Fault("hang_up_after"),)),
    Failure("502 page", UnknownOutcomeError, (Fault("page"),)),
    Failure("504 page after accepting", UnknownOutcomeError, (Fault("page_after", status=504),)),
    Failure("403 page of a gateway", UnknownOutcomeError, (Fault("page", status=403),)),
    Failure("404 page of a gateway", UnknownOutcomeError, (Fault("page", status=404),)),
    Failure("500", UnknownOutcomeError, refusal(500, "Internal Server Error")),
    Failure("half a JSON document", UnknownOutcomeError, (Fault("broken_json"),)),
    Failure("ok without a result", UnknownOutcomeError, (Fault("no_result"),)),
    Failure("a result of another shape", UnknownOutcomeError, (Fault("odd_result"),)),
    # The chat.
    Failure("migrated", ChatMigratedError, arrange=lambda api: api.migrate(CHAT, -100777)),
    Failure("blocked", ChatGoneError, arrange=lambda api: api.block(CHAT)),
    Failure("kicked", ChatGoneError, arrange=lambda api: api.kick(CHAT)),
    Failure("deactivated user", ChatGoneError, refusal(403, "Forbidden: user is deactivated")),
    Failure("never started", ChatGoneError, refusal(403, "Forbidden: bot can't initiate conversation with a user")),
    Failure("chat not found", ChatGoneError, request=lambda line: line.send_message(NOWHERE, "hello")),
    Failure("silenced", ChatGoneError, bad_request("not enough rights to send text messages to the chat")),
    Failure(
        "topic deleted", TopicGoneError, request=lambda line: line.send_message(CHAT, "hello", message_thread_id=9)
    ),
    # The message.
    Failure("unclosed tag", BadMessageError, request=lambda line: line.send_message(CHAT, "<b>", parse_mode="HTML")),
    Failure("empty text", BadMessageError, request=lambda line: line.send_message(CHAT, " ")),
    Failure("half a surrogate", BadMessageError, request=lambda line: line.send_message(CHAT, "\ud800")),
    Failure("text too long", TooLongError, request=lambda line: line.send_message(CHAT, "x" * 4097)),
    Failure("caption too long", TooLongError, request=lambda line: line.send_photo(CHAT, png(8, 8), "x" * 1025)),
    Failure("no picture", PictureRefusedError, request=lambda line: line.send_photo(CHAT, b"text")),
    Failure("unknown file_id", PictureRefusedError, request=lambda line: line.send_photo(CHAT, "AgAC404")),
    Failure("sides too long", PictureRefusedError, request=lambda line: line.send_photo(CHAT, png(9000, 1001))),
    Failure("413", PictureRefusedError, refusal(413, "Request Entity Too Large")),
    Failure("not modified", NotModifiedError, bad_request("message is not modified: specified new message content")),
    Failure("an edit of nothing", BadMessageError, request=lambda line: line.edit_message_text("x", CHAT, 5)),
    Failure("no text to edit", OtherKindError, bad_request("there is no text in the message to edit")),
    Failure("an old tap", QueryTooOldError, request=lambda line: line.answer_callback_query("none")),
    Failure("an unknown option", UnsupportedError, bad_request("link_preview_options is not supported yet")),
    Failure("an unknown method", UnsupportedError, refusal(501, "Method not implemented: sendMessage")),
    # The bot itself.
    Failure("wrong token", TokenRefusedError, refusal(401, "Unauthorized")),
    Failure("malformed token", TokenRefusedError, refusal(404, "Not Found")),
    Failure(
        "wrong token at the start",
        TokenRefusedError,
        (Fault("refuse", "getMe", status=401, description="Unauthorized"),),
        Line.initialize,
    ),
    Failure("second poller", ConflictError, refusal(409, "Conflict: terminated by other getUpdates request")),
)


@asynccontextmanager
async def staged(failure: Failure) -> AsyncIterator[Line]:
    """A line to a server that will fail so."""
    patience = {"read_timeout_s": 5.0, "connect_timeout_s": 5.0} | failure.line
    if failure.outside is not None:
        async with failure.outside() as url:
            line = open_line(TOKEN, api_url=url, **patience)
            yield line
            await line.shutdown()
        return
    async with FakeBotApi(token=TOKEN) as api:
        api.chat(CHAT)
        if failure.arrange is not None:
            await failure.arrange(api)
        api.faults.add(*map(replace, failure.faults))
        line = open_line(TOKEN, api_url=api.url, **patience)
        yield line
        await line.shutdown()
