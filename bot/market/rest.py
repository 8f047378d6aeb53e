"""One question to a venue over HTTP: budget first, then the request, then what its answer means.

What all venues share is here (time-outs, retries, broken answers, bans, clocks); what a code or a header means is told
by each venue's own judge.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from bot.clock import Clock
from bot.market.exchange import ExchangeError, ExchangeUnavailableError
from bot.market.limits import Budget, Gate
from bot.market.priority import Priority, current_priority
from bot.market.reply import (
    NOT_JSON,
    Count,
    Judge,
    NotServedError,
    Reply,
    SilenceAskedError,
    TryAgainError,
    reply_of,
)

RETRIES: Final = 3
_USER_AGENT = "Mozilla/5.0 (compatible; liqwatch)"
_BACK_OFF_S = 0.5
_LONGEST_SILENCE_MS = 4 * 86_400_000  # No venue bans for longer than 3 days; a longer one would be a misreading.

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """Decoded JSON, and the time at the venue when it was given (the Date header; the own clock without one)."""

    payload: Any
    server_ms: int


@dataclass(frozen=True, slots=True)
class Transport:
    """How requests travel: httpx's seam for tests, numbers in [0, 1) for the back-off, and patience.

    An answer may be silent for `timeout_s`, and is to be whole in twice that.
    """

    http: httpx.AsyncBaseTransport | None = None
    jitter: Callable[[], float] = random.random
    timeout_s: float = 10.0


class Rest:
    """Requests to one host of a venue. Refuses without a request while the gate is closed.

    `venue` is its name in sentences; `judge` knows its codes, `count` its header of spent weight.
    """

    def __init__(
        self,
        base_url: str,
        *,
        venue: str,
        clock: Clock,
        gate: Gate,
        judge: Judge,
        count: Count = lambda reply: None,
        transport: Transport | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        travel = transport or Transport()
        self._venue = venue
        self._clock = clock
        self._gate = gate
        self._judge = judge
        self._count = count
        self._jitter = travel.jitter
        self._deadline_s = 2 * travel.timeout_s
        self._http = httpx.AsyncClient(
            base_url=base_url,
            transport=travel.http,
            timeout=httpx.Timeout(travel.timeout_s, connect=min(5.0, travel.timeout_s), pool=None),
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

        `urgent` goes before all else, other questions wait as `asking_as` says; `exact` decodes numbers as Decimal.
        Raises ExchangeError and its kinds.
        """
        request = self._request("GET", path, params=dict(params or {}))
        return await self._tried(request, path, budget, weight=weight, urgent=urgent, exact=exact, retries=retries)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        budget: Budget,
        weight: int = 1,
        urgent: bool = False,
        retries: int = RETRIES,
    ) -> Answer:
        """The answer to one POST of JSON that only asks, so that it may be repeated; else as `get`."""
        request = self._request("POST", path, json=dict(body))
        return await self._tried(request, path, budget, weight=weight, urgent=urgent, exact=False, retries=retries)

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        try:
            return self._http.build_request(method, path, **content)
        except httpx.InvalidURL as error:
            raise ExchangeError(f"The address of {self._venue} is not usable: {error}.") from error

    async def _tried(
        self,
        request: httpx.Request,
        path: str,
        budget: Budget,
        *,
        weight: int,
        urgent: bool,
        exact: bool,
        retries: int,
    ) -> Answer:
        attempt = 0
        while True:
            try:
                return await self._ask(request, path, budget, weight=weight, urgent=urgent, exact=exact)
            except TryAgainError as trouble:
                if attempt == retries:
                    text = f"{self._venue} gave no usable answer for {path}: {trouble}."
                    raise ExchangeUnavailableError(text) from trouble
                if trouble.wait_s is None:
                    wait_s = _BACK_OFF_S * 2**attempt * (0.5 + self._jitter())
                else:
                    budget.slow_down()
                    wait_s = trouble.wait_s * (1 + self._jitter() / 2)
            await self._clock.sleep(wait_s)
            attempt += 1
            self.retried += 1

    async def _ask(
        self, request: httpx.Request, path: str, budget: Budget, *, weight: int, urgent: bool, exact: bool
    ) -> Answer:
        self._gate.pass_through()
        async with budget.place(weight, priority=Priority.PRICES if urgent else current_priority()):
            # A ban may have come while this request waited for its turn.
            self._gate.pass_through()
            response = await self._send(request)
            reply = reply_of(response, path=path, server_ms=self._server_ms(response), exact=exact)
            if (spent := self._count(reply)) is not None:
                budget.learn(spent.weight, for_s=spent.for_s)
        try:
            self._judge(reply)
            return self._plain(reply)
        except NotServedError:
            blocked = self._gate.block()
            log.warning("%s", blocked)
            raise blocked from None
        except SilenceAskedError as asked:
            budget.slow_down()
            raise self._silenced(asked) from None

    async def _send(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        try:
            # httpx limits each read, not the whole: a server that drips bytes would hold on for ever.
            async with asyncio.timeout(self._deadline_s):
                response = await self._http.send(request)
        except httpx.TimeoutException as error:
            raise TryAgainError("it took too long") from error
        except TimeoutError as error:
            raise TryAgainError(f"it was not whole after {self._deadline_s:g} s") from error
        except httpx.UnsupportedProtocol as error:
            raise ExchangeError(f"The address of {self._venue} is not usable: {error}.") from error
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise TryAgainError(f"the connection failed ({type(error).__name__})") from error
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

    def _plain(self, reply: Reply) -> Answer:
        """What an answer means whose codes the judge had nothing to say about."""
        status = reply.status
        if status in (451, 403):
            raise NotServedError
        if status in (418, 429):
            raise SilenceAskedError(reply.retry_after_s)
        if status >= 500 or status == 408:
            raise TryAgainError(f"status {status}")
        if status == 200 and reply.is_page:
            raise TryAgainError("a web page came instead of data")
        if status != 200:
            raise ExchangeError(f"{self._venue} refused {reply.path}: status {status}.")
        if reply.payload is NOT_JSON:
            raise ExchangeUnavailableError(f"{self._venue} answered {reply.path} with broken JSON.")
        return Answer(reply.payload, reply.server_ms)

    def _silenced(self, asked: SilenceAskedError) -> ExchangeError:
        now_ms = self._clock.now_ms()
        until_ms = now_ms + int(max(1.0, asked.seconds) * 1000)
        if asked.until_ms is not None:
            # The time is the venue's; this machine's clock may be ahead of it.
            until_ms = max(asked.until_ms - (self.clock_skew_ms or 0), until_ms)
        until_ms = min(until_ms, now_ms + _LONGEST_SILENCE_MS)
        wait_s = -(-(until_ms - now_ms) // 1000)
        word = "banned this address" if asked.banned else "asked to slow down"
        silenced = self._gate.ban(until_ms, message=f"{self._venue} {word}: nothing is asked of it for {wait_s} s.")
        log.warning("%s", silenced)
        return silenced
