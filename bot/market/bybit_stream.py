"""Bybit's linear contracts as they happen: `allLiquidation` of all of them, `tickers` of those whose price is wanted.

Both are asked for by name. The liquidations of all contracts fit one line, so that a contract watched tomorrow was
listened to today; tickers come ten times a second and are asked for where someone watches. One contract's ticker is
always among them: it is the heart-beat.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from bot.clock import Clock
from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.bybit_parse import EXCHANGE, VENUE
from bot.market.bybit_topics import LIQUIDATIONS, TICKERS, Subscriptions, wanted_topics
from bot.market.feed import Print
from bot.market.stream import Manner, Stream
from bot.market.stream_book import StreamBook
from bot.market.types import Instrument

STREAM_URL: Final = "wss://stream.bybit.com"
PATH: Final = "/v5/public/linear"

SILENCE_S: Final = 12.0
PING_S: Final = 20.0
FOLLOW_S: Final = 5.0
"""How often what is asked for is brought in step with what is wanted."""

Listed = Callable[[], Mapping[str, Instrument]]

log = logging.getLogger(__name__)


def bybit_stream(
    *,
    clock: Clock,
    listed: Listed,
    url: str = STREAM_URL,
    book: StreamBook | None = None,
    manner: Manner | None = None,
) -> Stream:
    """The stream, not yet listening. `listed` are the contracts by the venue's own name; without any it waits."""
    kept = book or StreamBook(EXCHANGE, VENUE, clock)
    return Stream(
        EXCHANGE,
        VENUE,
        url + PATH,
        clock=clock,
        book=kept,
        script=lambda followed: BybitScript(kept, clock, listed, followed),
        manner=manner or Manner(SILENCE_S),
        ready=lambda: bool(listed()),
    )


class BybitScript:
    """One line: asks for topics, pings, and merges the tickers, whose absent fields are unchanged ones."""

    ends_soon = False

    def __init__(self, book: StreamBook, clock: Clock, listed: Listed, followed: Callable[[], Collection[str]]) -> None:
        self._book = book
        self._clock = clock
        self._listed = listed
        self._followed = followed
        self._subscriptions = Subscriptions(book.bad)
        self._again: list[str] = []
        self._settled = False
        self._ping_due_s = clock.monotonic() + PING_S
        self._follow_due_s = clock.monotonic()
        self._marks: dict[str, float] = {}
        self._without_room = 0

    def due(self) -> Sequence[str]:
        now_s = self._clock.monotonic()
        messages, self._again = self._again, []
        if now_s >= self._follow_due_s:
            self._follow_due_s = now_s + FOLLOW_S
            messages += self._subscriptions.towards(self._wanted())
        if now_s >= self._ping_due_s:
            self._ping_due_s = now_s + PING_S
            messages.append('{"op":"ping"}')
        return messages

    def _wanted(self) -> Sequence[str]:
        topics, without_room = wanted_topics(self._listed(), self._followed())
        if without_room > self._without_room:
            log.warning("Bybit lets one line ask for so much only: %d topics are left out", without_room)
        self._without_room = without_room
        return topics

    def hear(self, frame: str | bytes) -> bool:
        """Take in a frame; True where it brought a ticker or a liquidation of a line whose requests were answered."""
        message = self._book.decoded(frame)
        if message is None:
            return False
        topic = message.get("topic")
        if isinstance(topic, str) and topic.startswith(LIQUIDATIONS):
            return self._liquidations(message) and self._settled
        if isinstance(topic, str) and topic.startswith(TICKERS):
            return self._ticker(message) and self._settled
        if message.get("op") == "subscribe":
            self._again += self._subscriptions.answered(message.get("req_id"), granted=message.get("success") is True)
            self._settled = self._settled or self._subscriptions.settled
        elif message.get("op") not in ("ping", "pong", "unsubscribe"):
            self._book.bad.drop("frames", "of no topic that was asked for")
        return False

    def _ticker(self, message: Mapping[str, Any]) -> bool:
        data, time_ms = message.get("data"), milliseconds(message.get("ts"))
        contract = self._listed().get(str(data.get("symbol"))) if isinstance(data, dict) else None
        if not isinstance(data, dict) or contract is None or time_ms is None:
            self._book.bad.drop("mark prices", "no known symbol or no time")
            return False
        self._book.sent_at(time_ms)
        if "markPrice" in data:
            mark = number(data["markPrice"])
            if not mark > 0:
                self._book.bad.drop("mark prices", "no positive price")
                return False
            self._marks[contract.native] = mark
        if contract.native in self._marks:
            self._book.prices.take(contract.symbol, time_ms, self._marks[contract.native])
        return True

    def _liquidations(self, message: Mapping[str, Any]) -> bool:
        found = list(parse_liquidations(message.get("data"), self._listed(), self._book.bad))
        for one in found:
            self._book.keep(one)
        if found:
            self._book.sent_at(milliseconds(message.get("ts")))
        return bool(found)


def parse_liquidations(rows: object, listed: Mapping[str, Instrument], bad: BadRows) -> Iterable[Print]:
    """The prints of one allLiquidation frame. `S` is the side of the position, `p` its bankruptcy price."""
    for row in rows if isinstance(rows, list) else [None]:
        if not isinstance(row, dict):
            bad.drop("liquidations", "not an object")
            continue
        contract, side, time_ms = listed.get(str(row.get("s"))), row.get("S"), milliseconds(row.get("T"))
        price, coins = number(row.get("p")), number(row.get("v"))
        if contract is None or side not in ("Buy", "Sell") or time_ms is None:
            bad.drop("liquidations", "no known symbol, side or time")
        elif not (price > 0 and coins > 0):
            bad.drop("liquidations", "no positive price and size")
        else:
            yield Print(time_ms, contract.symbol, side == "Buy", price, coins, at_bankruptcy=True)
