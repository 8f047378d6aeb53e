"""The line to the Bot API: one pool of connections for requests, another for the long poll."""

import asyncio
import json
import os
import ssl
from collections.abc import Sequence
from typing import Any

from telegram import Bot
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from bot.telegram.errors import translated

# python-telegram-bot 22 warns on each 429 unless one asks for the coming form of `retry_after`, a timedelta.
os.environ.setdefault("PTB_TIMEDELTA", "true")

TELEGRAM = "https://api.telegram.org"


class _Pool(HTTPXRequest):
    """A pool that does not log the body of a reply it cannot parse: bodies hold users' words."""

    __slots__ = ()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = json.loads(payload.decode("utf-8", "replace"))
        except ValueError:
            reply = {}
        if not isinstance(reply, dict) or "ok" not in reply:
            raise TelegramError("Invalid server response")
        return reply


class Line(Bot):
    """python-telegram-bot's Bot, with updates as they came and a repr that keeps the token."""

    async def raw_updates(self, offset: int | None, allowed: Sequence[str], wait_s: int) -> list[dict[str, Any]]:
        """Long-poll for at most `wait_s` seconds; an `offset` confirms every update before it.

        Updates stay plain JSON, so that one this library cannot read does not hide the others. Raises DeliveryError.
        """
        question = {"offset": offset, "timeout": wait_s, "allowed_updates": list(allowed)}
        updates: list[dict[str, Any]] = await translated(
            self._post("getUpdates", question, read_timeout=wait_s + 10), token=self.token
        )
        return updates

    async def about(self, chat: int | str) -> dict[str, Any]:
        """What the server tells of a chat, as it came: only some of it is needed here. Raises DeliveryError."""
        told: dict[str, Any] = await translated(self._post("getChat", {"chat_id": chat}), token=self.token)
        return told

    @property
    def known_name(self) -> str | None:
        """The bot's own name; None before `get_me` was asked."""
        return self._bot_user.username if self._bot_user else None

    async def shutdown(self) -> None:
        """Close both pools, also where `initialize` was never called (the library would leave them open)."""
        await asyncio.gather(*(pool.shutdown() for pool in self._request))

    def __repr__(self) -> str:
        return "Line[token=[token]]"


def open_line(
    token: str,
    *,
    api_url: str = TELEGRAM,
    read_timeout_s: float = 30.0,
    connect_timeout_s: float = 10.0,
    pool_timeout_s: float = 20.0,
    connections: int = 64,
) -> Line:
    """A line to the server at `api_url`; nothing is sent until its first use, `shutdown()` closes it."""
    options = _without_certificates() if api_url.startswith("http://") else None
    request = _Pool(
        connection_pool_size=connections,
        read_timeout=read_timeout_s,
        write_timeout=read_timeout_s,
        connect_timeout=connect_timeout_s,
        pool_timeout=pool_timeout_s,
        media_write_timeout=read_timeout_s,
        httpx_kwargs=options,
    )
    poll = _Pool(
        connection_pool_size=2,
        connect_timeout=connect_timeout_s,
        pool_timeout=pool_timeout_s,
        httpx_kwargs=options,
    )
    return Line(
        token,
        base_url=f"{api_url}/bot",
        base_file_url=f"{api_url}/file/bot",
        request=request,
        get_updates_request=poll,
    )


def _without_certificates() -> dict[str, Any]:
    """Spare a server on plain HTTP the 20 ms of loading certificates; an empty store trusts no one."""
    return {"verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
