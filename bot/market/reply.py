"""An answer as it came, and what a venue's judge may say of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import httpx

NOT_JSON: Final = object()
"""The payload of a reply that could not be decoded."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a judge sees: the answer as it came. `payload` may be NOT_JSON (then `text` is its beginning)."""

    path: str
    status: int
    headers: httpx.Headers
    payload: Any
    is_page: bool
    text: str
    server_ms: int

    @property
    def retry_after_s(self) -> int:
        """The seconds of a Retry-After header; 0 without a usable one."""
        told = self.headers.get("Retry-After", "")
        return int(told) if told.isdecimal() else 0


@dataclass(frozen=True, slots=True)
class Spent:
    """The venue's own count of what was spent in a budget's window, which stands for `for_s` more seconds."""

    weight: int
    for_s: float


class TryAgainError(Exception):
    """An answer that may be better a moment later: after the usual back-off, or after the `wait_s` of a limit met."""

    def __init__(self, reason: str, *, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class SilenceAskedError(Exception):
    """The venue wants no request for `seconds`, or until `until_ms` of its own clock where that is later."""

    def __init__(self, seconds: float, *, until_ms: int | None = None, banned: bool = False) -> None:
        super().__init__()
        self.seconds = seconds
        self.until_ms = until_ms
        self.banned = banned


class NotServedError(Exception):
    """The venue does not serve this place."""


Judge = Callable[[Reply], None]
"""Raises what the venue's codes mean (the errors above, or an ExchangeError); silent where it has nothing to add."""

Count = Callable[[Reply], Spent | None]


def reply_of(response: httpx.Response, *, path: str, server_ms: int, exact: bool) -> Reply:
    """The response, decoded as far as it can be; `exact` decodes numbers as Decimal."""
    try:
        payload = json.loads(response.content, parse_float=Decimal if exact else float)
    except (ValueError, RecursionError):
        payload = NOT_JSON
    is_page = payload is NOT_JSON and response.content.lstrip()[:1] == b"<"
    text = response.text[:400] if payload is NOT_JSON else ""
    return Reply(path, response.status_code, response.headers, payload, is_page, text, server_ms)
