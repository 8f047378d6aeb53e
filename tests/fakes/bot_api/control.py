"""The same controls over HTTP, for a server in another process: JSON in, JSON out, under /control/."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.bot_api.faults import Fault

if TYPE_CHECKING:
    from tests.fakes.bot_api.server import FakeBotApi

_PEOPLE = (
    "say",
    "say_anonymously",
    "post",
    "tap",
    "ask_inline",
    "block",
    "unblock",
    "kick",
    "invite",
    "migrate",
    "push",
)


def add_control_routes(app: web.Application, api: "FakeBotApi") -> None:
    """POST /control/<action> with the arguments of People's method of that name, or one of:

    `chat` {chat_id, kind, members}, `fault` {kind, method...}, `faults_clear`, `refuse` {seconds};
    GET /control/journal[?from=N], /control/messages?chat_id=N, /control/stats.
    """
    control = _Control(api)
    app.router.add_post("/control/{action}", control.act)
    app.router.add_get("/control/{question}", control.tell)


class _Control:
    def __init__(self, api: "FakeBotApi") -> None:
        self._api = api
        self._outage: asyncio.Task[None] | None = None

    async def _refuse(self, seconds: float) -> None:
        await asyncio.sleep(0.05)  # so that this request is answered
        await self._api.close_port()
        await asyncio.sleep(seconds)
        await self._api.open_port()

    async def act(self, request: web.Request) -> web.Response:
        action, body = request.match_info["action"], await request.json()
        try:
            return web.json_response({"ok": True, "result": await self._act(action, body)})
        except (LookupError, TypeError, ValueError) as error:
            return web.json_response({"ok": False, "description": f"{type(error).__name__}: {error}"}, status=400)

    async def _act(self, action: str, body: dict[str, Any]) -> Any:
        api = self._api
        if action in _PEOPLE:
            return await getattr(api, action)(**body)
        if action == "chat":
            members = {int(user): status for user, status in body.pop("members", {}).items()}
            return api.chat(**body, members=members).id
        if action == "fault":
            return api.faults.add(Fault(**body))
        if action == "faults_clear":
            return api.faults.clear()
        if action == "refuse":
            self._outage = asyncio.create_task(self._refuse(float(body["seconds"])))
            return None
        raise LookupError(f"no such action: {action}")

    async def tell(self, request: web.Request) -> web.Response:
        api, query = self._api, request.query
        match request.match_info["question"]:
            case "journal":
                result: Any = [entry.as_json() for entry in api.journal[int(query.get("from", 0)) :]]
            case "messages":
                posts = api.state.chat(int(query["chat_id"])).posts.values()
                result = [asdict(posted) for posted in posts]
            case "stats":
                waiting = len(api.updates.waiting)
                result = {"requests": dict(api.requests), "waiting": waiting, "overlaps": len(api.overlaps)}
            case other:
                return web.json_response({"ok": False, "description": f"no such question: {other}"}, status=404)
        return web.json_response({"ok": True, "result": result})
