"""One GET to Binance: budget first, then the request, then what its answer means (the error table of the venue)."""

import asyncio
import json
import logging
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from bot.clock import Clock
from bot.market.binance_limits import Budget, Gate
from bot.market.exchange import ExchangeError, ExchangeUnavailableError, UnknownSymbolError

RETRIES = 3
_USER_AGENT = "Mozilla/5.0 (compatible; liqwatch)"
_BACK_OFF_S = 0.5
_DEADLINE_S = 20.0
_BAN_WITHOUT_A_TIME_S = 300
_LONGEST_BAN_MS = 4 * 86_400_000  # Binance bans for 3 days at most; a longer one would be a misreading.

_OVER_WEIGHT = -1003
_OVERLOADED = -1008
_UNKNOWN_SYMBOL = {-1121, -1122, -4144}
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """Decoded JSON, and the time at the venue when it was given (the Date header; the own clock without one)."""

    payload: Any
    server_ms: int


class _TryAgainError(Exception):
    """An answer that may be better a moment later."""


class BinanceRest:
    """Requests to one Binance host. Refuses without a request while the gate is closed.

    `jitter` gives numbers in [0, 1) for the back-off; `transport` is httpx's seam for tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        gate: Gate,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
        timeout_s: float = 10.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._clock = clock
        self._gate = gate
        self._jitter = jitter
        self._http = httpx.AsyncClient(
            base_url=base_url,
            transport=transport,
            timeout=httpx.Timeout(timeout_s, connect=min(5.0, timeout_s), pool=None),
            headers={"User-Agent": _USER_AGENT, "Accept": "application/json", **(headers or {})},
        )
        self.requests = 0
        self.retried = 0
        self.last_answer_ms: int | None = None
        self.clock_skew_ms: int | None = None

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int] | None = None,
        *,
        budget: Budget,
        weight: int = 1,
        urgent: bool = False,
        exact: bool = False,
        retries: int = RETRIES,
    ) -> Answer:
        """The answer to one GET, tried again up to `retries` times where that can help.

        `urgent` uses the budget's kept lane; `exact` decodes numbers as Decimal. Raises ExchangeError and its kinds.
        """
        attempt = 0
        while True:
            try:
                return await self._ask(path, params or {}, budget=budget, weight=weight, urgent=urgent, exact=exact)
            except _TryAgainError as trouble:
                if attempt == retries:
                    text = f"Binance gave no usable answer for {path}: {trouble}."
                    raise ExchangeUnavailableError(text) from trouble
            await self._clock.sleep(_BACK_OFF_S * 2**attempt * (0.5 + self._jitter()))
            attempt += 1
            self.retried += 1

    async def _ask(
        self,
        path: str,
        params: Mapping[str, str | int],
        *,
        budget: Budget,
        weight: int,
        urgent: bool,
        exact: bool,
    ) -> Answer:
        self._gate.pass_through()
        async with budget.place(weight, urgent=urgent):
            # A ban may have come while this request waited for its turn.
            self._gate.pass_through()
            response = await self._send(path, params)
            server_ms = self._server_ms(response)
            told = response.headers.get("X-MBX-USED-WEIGHT-1M", "")
            if told.isdecimal():
                budget.learn(int(told), for_s=60 - server_ms / 1000 % 60)
        return Answer(self._meaning(response, path, budget, exact=exact), server_ms)

    async def _send(self, path: str, params: Mapping[str, str | int]) -> httpx.Response:
        self.requests += 1
        try:
            # httpx limits each read, not the whole: a server that drips bytes would hold on for ever.
            async with asyncio.timeout(_DEADLINE_S):
                response = await self._http.get(path, params=dict(params))
        except httpx.TimeoutException as error:
            raise _TryAgainError("it took too long") from error
        except TimeoutError as error:
            raise _TryAgainError(f"it was not whole after {_DEADLINE_S:g} s") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _TryAgainError(f"the connection failed ({type(error).__name__})") from error
        except httpx.InvalidURL as error:
            raise ExchangeError(f"The address of Binance is not usable: {error}.") from error
        self.last_answer_ms = self._clock.now_ms()
        return response

    def _server_ms(self, response: httpx.Response) -> int:
        now_ms = self._clock.now_ms()
        try:
            moment = parsedate_to_datetime(response.headers.get("Date", ""))
        except (TypeError, ValueError):
            return now_ms
        server_ms = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
        # The header has whole seconds, cut off; within that it says nothing about this machine's clock.
        self.clock_skew_ms = 0 if 0 <= now_ms - server_ms < 1000 else server_ms - now_ms
        return server_ms

    def _meaning(self, response: httpx.Response, path: str, budget: Budget, *, exact: bool) -> Any:
        status = response.status_code
        if status in (451, 403):
            blocked = self._gate.block()
            log.warning("%s", blocked)
            raise blocked
        if status not in (418, 429) and (status >= 500 or status == 408):
            raise _TryAgainError(f"status {status}")
        payload = self._decoded(response, exact=exact)
        code, message = _error_of(payload)
        if status in (418, 429) or code == _OVER_WEIGHT:
            budget.slow_down()
            raise self._banned(response, message)
        if code == _OVERLOADED:
            raise _TryAgainError("it is overloaded")
        if code in _UNKNOWN_SYMBOL:
            raise UnknownSymbolError("Binance does not know this symbol, or no longer trades it.")
        if status != 200:
            raise ExchangeError(
                f"Binance refused {path}: status {status}, code {code}: {message[:160] or 'no reason'}."
            )
        if payload is _NOT_JSON:
            raise ExchangeUnavailableError(f"Binance answered {path} with broken JSON.")
        return payload

    def _decoded(self, response: httpx.Response, *, exact: bool) -> Any:
        try:
            return json.loads(response.content, parse_float=Decimal if exact else float)
        except (ValueError, RecursionError):
            if response.status_code == 200 and response.content.lstrip()[:1] == b"<":
                raise _TryAgainError("a web page came instead of data") from None
            return _NOT_JSON

    def _banned(self, response: httpx.Response, message: str) -> ExchangeError:
        now_ms = self._clock.now_ms()
        retry_after = response.headers.get("Retry-After", "")
        seconds = max(1, int(retry_after)) if retry_after.isdecimal() else 0
        if (until := _BANNED_UNTIL.search(message)) is not None:
            # The time is the venue's; this machine's clock may be ahead of it.
            until_ms = max(int(until[1]) + 1000 - (self.clock_skew_ms or 0), now_ms + seconds * 1000)
        elif response.status_code == 418:
            until_ms = now_ms + (seconds or _BAN_WITHOUT_A_TIME_S) * 1000 + 1000
        else:
            until_ms = now_ms + (seconds or 1) * 1000
        until_ms = min(until_ms, now_ms + _LONGEST_BAN_MS)
        wait_s = -(-(until_ms - now_ms) // 1000)
        word = "banned this address" if response.status_code == 418 or until else "asked to slow down"
        banned = self._gate.ban(until_ms, message=f"Binance {word}: nothing is asked of it for {wait_s} s.")
        log.warning("%s", banned)
        return banned


_NOT_JSON = object()


def _error_of(payload: Any) -> tuple[int | None, str]:
    """Code and message of a Binance error body; (None, "") for anything else. Data never has both keys."""
    if isinstance(payload, dict) and isinstance(payload.get("code"), int) and isinstance(payload.get("msg"), str):
        return payload["code"], " ".join(payload["msg"].split())
    return None, ""
