"""The wire between the bot and its Bot API server: passes every request on as it is, and notes what it carried.

The emulator's journal tells which methods it accepted and no more; what people read is seen here.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

MESSAGES = ("sendMessage", "sendPhoto")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that the server answered, text fields and files apart; `message_id` is the one it made."""

    method: str
    fields: Mapping[str, str]
    files: Mapping[str, bytes]
    status: int
    message_id: int = 0

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The keys under the message, row after row."""
        markup = json.loads(self.fields.get("reply_markup") or "{}")
        return [button for row in markup.get("inline_keyboard", []) for button in row]

    @property
    def text(self) -> str:
        """What the message reads, as HTML."""
        return self.fields.get("text") or self.fields.get("caption") or ""

    @property
    def silent(self) -> bool:
        return self.fields.get("disable_notification") == "true"

    @property
    def picture(self) -> bytes | None:
        return next(iter(self.files.values()), None)


class Wire:
    """`async with Wire(server_url) as wire:` listens at `wire.url`; `calls` holds what went over it, in order."""

    def __init__(self, server_url: str) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self._server_url = server_url
        self._sending: set[asyncio.Task[tuple[int, bytes]]] = set()
        self._closing = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._session = await self._closing.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=90))
        )
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/bot{token}/{method}", self._pass)
        # A poll whose bot died must end at the server too; see `_pass` for what must not.
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        self._closing.push_async_callback(runner.cleanup)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._closing.aclose()

    @property
    def messages(self) -> list[Call]:
        """The messages that reached a chat, in order."""
        return [call for call in self.calls if call.method in MESSAGES and call.status == 200]

    def reading(self, *words: str) -> list[Call]:
        """The messages that hold all these words."""
        return [call for call in self.messages if all(word in call.text for word in words)]

    async def _pass(self, request: web.Request) -> web.Response:
        method, body = request.match_info["method"], await request.read()
        kind = request.headers.get("Content-Type", "")
        sending = asyncio.create_task(self._forward(request.path, method, kind, body))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        # What a bot had sent whole when it was killed arrives all the same.
        status, answer = await (sending if method == "getUpdates" else asyncio.shield(sending))
        return web.Response(status=status, body=answer, content_type="application/json")

    async def _forward(self, path: str, method: str, kind: str, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": kind}
        async with self._session.post(self._server_url + path, data=body, headers=headers) as reply:
            answer = await reply.read()
        fields, files = parse_body(kind, body)
        result = json.loads(answer).get("result")
        made = result.get("message_id", 0) if isinstance(result, dict) else 0
        self.calls.append(Call(method, fields, files, reply.status, made))
        return reply.status, answer


def parse_body(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """(fields, files) of a Bot API request, in any of its three encodings."""
    if kind.startswith("application/json"):
        values: dict[str, Any] = json.loads(body)
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}, {}
    if not kind.startswith("multipart/"):
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True)), {}
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    boundary = kind.partition("boundary=")[2].strip('"').encode("ascii")
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode("utf-8")
        if b"filename=" in head:
            files[name] = content.removesuffix(b"\r\n")
        else:
            fields[name] = content.removesuffix(b"\r\n").decode("utf-8")
    return fields, files
