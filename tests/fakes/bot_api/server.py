"""The HTTP side: requests in, faults on request, a journal of all of it."""

import asyncio
import json
import re
import socket
import struct
import time
from collections import Counter
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from tests.fakes.bot_api.control import add_control_routes
from tests.fakes.bot_api.faults import Fault, Faults
from tests.fakes.bot_api.journal import Entry
from tests.fakes.bot_api.methods import Call, Methods
from tests.fakes.bot_api.people import People
from tests.fakes.bot_api.rates import Rates
from tests.fakes.bot_api.refusal import Refusal
from tests.fakes.bot_api.state import Posted, State
from tests.fakes.bot_api.updates import Updates

TOKEN = "123456789:" + "AAFakeTokenOfATestBot_0123456789-x"
_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"
_AFTER = {
    "page_after",
    "broken_json",
    "no_result",
    "odd_result",
    "reset_after",
    "hang_up_after",
    "stall_after",
    "never",
}
_COUNTED = re.compile(r"send(?!ChatAction)|editMessage")


class FakeBotApi(People):
    """The server and, through People, everybody who talks to the bot.

    `token` is the only one accepted (401 otherwise, 404 where it is malformed). `rates` holds Telegram's flood
    limits. `latency_s` is how long each request but getUpdates takes: half before it is carried out, half after.
    `any_chat` makes every chat id exist.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        port: int = 0,
        rates: Rates | None = None,
        latency_s: float = 0.0,
        any_chat: bool = False,
    ) -> None:
        super().__init__(State(any_chat=any_chat), Updates())
        self.token = token
        self.port = port
        self.rates = rates
        self.latency_s = latency_s
        self.faults = Faults()
        self.journal: list[Entry] = []
        self.overlaps: list[int] = []
        self.requests: Counter[str] = Counter()
        self._methods = Methods(self.state)
        self._in_flight: Counter[int] = Counter()
        self._changed = asyncio.Condition()
        self._transports: set[asyncio.Transport] = set()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        add_control_routes(app, self)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
        await self._runner.setup()
        await self.open_port()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._abort_connections()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """What TELEGRAM_API_URL takes."""
        return f"http://127.0.0.1:{self.port}"

    async def open_port(self) -> None:
        """Listen, on the same port as before."""
        if self._runner is None:
            raise RuntimeError("enter the context first")
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def close_port(self) -> None:
        """Refuse connections, and drop those there are, until `open_port`."""
        if self._site is not None:
            await self._site.stop()
            self._site = None
        self._abort_connections()
        await asyncio.sleep(0.01)  # so that the clients' sockets have heard of it

    @property
    def deliveries(self) -> list[Entry]:
        """Every message that reached a chat, in order, whether or not the client was told."""
        return [entry for entry in self.journal if entry.is_delivery]

    def asked(self, method: str) -> list[Entry]:
        """The journal of one method."""
        return [entry for entry in self.journal if entry.method == method]

    async def delivered(self, number: int = 1, *, timeout_s: float = 5.0) -> list[Entry]:
        """Wait for so many deliveries in all; raises TimeoutError."""
        await self.until(lambda: len(self.deliveries) >= number, timeout_s=timeout_s)
        return self.deliveries

    async def until(self, condition: Any, *, timeout_s: float = 5.0) -> None:
        """Wait for a condition on this server, looked at after each request; raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(condition)

    def last(self, chat_id: int) -> Posted:
        """The newest message of a chat, as it reads now."""
        return list(self.state.chats[chat_id].posts.values())[-1]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self._track(request)
        method = request.match_info["method"]
        self.requests[method] += 1
        if deaf := self.faults.take_deaf(method):
            await asyncio.sleep(deaf.seconds)
            return self._cut(request, reset=True)
        call = await _read(request, method)
        fault = self.faults.take(method, call.chat_id)
        if fault and fault.kind not in _AFTER:
            early = await self._fail_before(request, fault)
            if early is not None:
                return early
        return await self._carry_out(request, call, fault if fault and fault.kind in _AFTER else None)

    async def _fail_before(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.kind in ("reset", "hang_up"):
            return self._cut(request, reset=fault.kind == "reset")
        if fault.kind == "page":
            return web.Response(status=fault.status, text=_PAGE, content_type="text/html")
        if fault.kind == "refuse":
            refusal = Refusal(fault.status, fault.description, **(fault.parameters or {}))
            return web.json_response(refusal.body(), status=fault.status)
        await asyncio.sleep(fault.seconds)
        return None

    async def _carry_out(self, request: web.Request, call: Call, fault: Fault | None) -> web.StreamResponse:
        try:
            self._check_token(request.match_info["token"])
            result = await self._result(call)
            entry, body = self._entry(call, 200), {"ok": True, "result": result}
        except Refusal as refusal:
            entry, body = self._entry(call, refusal.status, refusal.description), refusal.body()
        if call.method != "getUpdates":
            self.journal.append(entry)
        async with self._changed:
            self._changed.notify_all()
        if fault is not None:
            entry.answered = False
            return await self._fail_after(request, fault, body)
        return web.json_response(body, status=entry.status)

    async def _result(self, call: Call) -> Any:
        if call.method == "getUpdates":
            return await self._poll(call)
        if call.method == "deleteWebhook":
            self.updates.webhook = ""
            return True
        counted = _COUNTED.match(call.method) is not None and call.chat_id is not None
        chat_id = call.chat_id or 0
        if counted and self.rates is not None:
            self.rates.count(chat_id, time.monotonic())
        self._in_flight[chat_id] += counted
        if counted and self._in_flight[chat_id] > 1:
            self.overlaps.append(chat_id)
        try:
            if self.latency_s:
                await asyncio.sleep(self.latency_s / 2)
            result = self._methods.carry_out(call)
            if self.latency_s:
                await asyncio.sleep(self.latency_s / 2)
            return result
        finally:
            self._in_flight[chat_id] -= counted

    async def _poll(self, call: Call) -> Any:
        allowed = call.json("allowed_updates")
        return await self.updates.get(
            offset=int(call.text("offset") or 0),
            limit=min(100, int(call.text("limit") or 100)),
            timeout_s=min(50.0, float(call.text("timeout") or 0)),
            allowed=allowed,
        )

    async def _fail_after(self, request: web.Request, fault: Fault, body: dict[str, Any]) -> web.StreamResponse:
        match fault.kind:
            case "page_after":
                return web.Response(status=fault.status, text=_PAGE, content_type="text/html")
            case "broken_json":
                return web.Response(text=json.dumps(body)[:25], content_type="application/json")
            case "no_result":
                return web.json_response({"ok": True})
            case "odd_result":
                return web.json_response({"ok": True, "result": {"surprise": 1}})
            case "reset_after" | "hang_up_after":
                return self._cut(request, reset=fault.kind == "reset_after")
            case _:
                await asyncio.sleep(fault.seconds)
                return web.json_response(body)

    def _check_token(self, token: str) -> None:
        if not re.fullmatch(r"\d+:[\w-]{30,}", token):
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")

    def _entry(self, call: Call, status: int, description: str = "") -> Entry:
        posted = call.posted
        return Entry(
            number=len(self.journal),
            at_s=time.monotonic(),
            method=call.method,
            status=status,
            chat_id=call.chat_id,
            message_id=posted.message_id if posted else None,
            html=posted.html if posted else None,
            text=posted.text if posted else None,
            photo=posted.photo if posted else None,
            buttons=posted.buttons if posted else [],
            silent=posted.silent if posted else False,
            reply_to=posted.reply_to if posted else None,
            uploaded=sum(map(len, call.files.values())),
            description=description,
            fields=call.fields,
        )

    def _track(self, request: web.Request) -> None:
        self._transports = {transport for transport in self._transports if not transport.is_closing()}
        if isinstance(request.transport, asyncio.Transport):
            self._transports.add(request.transport)

    def _abort_connections(self) -> None:
        for transport in self._transports:
            transport.abort()
        self._transports.clear()

    def _cut(self, request: web.Request, *, reset: bool) -> web.StreamResponse:
        """End the connection without a reply, by RST or by FIN."""
        transport = request.transport
        if isinstance(transport, asyncio.Transport):
            wire = transport.get_extra_info("socket")
            if reset and wire is not None:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
        return web.Response()


async def _read(request: web.Request, method: str) -> Call:
    """The request's parameters, in any of the three encodings the Bot API takes."""
    if request.content_type == "application/json":
        return Call(method, await request.json())
    if not request.content_type.startswith("multipart/"):
        return Call(method, {key: str(value) for key, value in (await request.post()).items()})
    call = Call(method, {})
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        if part.filename is None:
            call.fields[part.name] = await part.text()
        else:
            call.files[part.name] = bytes(await part.read())
    return call
