"""OKX's swaps as they happen: `liquidation-orders` of all of them, `mark-price` of those whose price is wanted.

Sizes are contracts and become coins here; prices of liquidations are bankruptcy prices. The first frame after
subscribing tells an old liquidation: its own time decides. One contract's mark price is always asked for: it comes
every 10 s at least and is the heart-beat.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from bot.clock import Clock
from bot.market.bad_rows import BadRows, milliseconds, number
from bot.market.feed import Print
from bot.market.okx_parse import EXCHANGE, VENUE, Swap
from bot.market.stream import Manner, Stream, portions
from bot.market.stream_book import StreamBook

STREAM_URL: Final = "wss://ws.okx.com:8443"
PATH: Final = "/ws/v5/public"
HEARTBEAT: Final = "BTC-USDT-SWAP"

SILENCE_S: Final = 25.0
PING_S: Final = 20.0
"""A line on which nothing is said for 30 s is closed."""

FOLLOW_S: Final = 10.0
"""How often what is asked for is brought in step with what is wanted: 480 requests an hour are allowed."""

ARGS_PER_REQUEST: Final = 200

_CLOSES_SOON: Final = "64008"

Listed = Callable[[], Mapping[str, Swap]]


def okx_stream(
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
        script=lambda followed: OkxScript(kept, clock, listed, followed),
        manner=manner or Manner(SILENCE_S),
        ready=lambda: bool(listed()),
    )


class OkxScript:
    """One line: asks for channels, pings in its own way, and takes what comes."""

    def __init__(self, book: StreamBook, clock: Clock, listed: Listed, followed: Callable[[], Collection[str]]) -> None:
        self._book = book
        self._clock = clock
        self._listed = listed
        self._followed = followed
        self._asked: set[str] = set()
        self._listens = False
        self.ends_soon = False
        self._ping_due_s = clock.monotonic() + PING_S
        self._follow_due_s = clock.monotonic()

    def due(self) -> Sequence[str]:
        now_s = self._clock.monotonic()
        messages: list[str] = []
        if now_s >= self._follow_due_s:
            self._follow_due_s = now_s + FOLLOW_S
            messages += self._requests()
        if now_s >= self._ping_due_s:
            self._ping_due_s = now_s + PING_S
            messages.append("ping")
        return messages

    def _requests(self) -> list[str]:
        """What leads from the channels that were asked for to those that are wanted."""
        swaps, followed = self._listed(), self._followed()
        beat = HEARTBEAT if HEARTBEAT in swaps else next(iter(swaps))
        wanted = {beat, *(native for native, swap in swaps.items() if swap.instrument.symbol in followed)}
        new = [_marks_of(native) for native in sorted(wanted - self._asked)]
        if not self._asked:
            new.insert(0, {"channel": "liquidation-orders", "instType": "SWAP"})
        old = [_marks_of(native) for native in sorted(self._asked - wanted)]
        self._asked = wanted
        return [
            json.dumps({"op": op, "args": list(some)}, ensure_ascii=False)
            for op, args in (("unsubscribe", old), ("subscribe", new))
            for some in portions(args, ARGS_PER_REQUEST)
        ]

    def hear(self, frame: str | bytes) -> bool:
        """Take in a frame; True where it brought a price or a liquidation of a line on which liquidations are told."""
        if frame == "pong":
            return False
        message = self._book.decoded(frame)
        if message is None:
            return False
        arg = message.get("arg")
        channel = arg.get("channel") if isinstance(arg, dict) else None
        if "event" in message:
            self._event(message, channel)
            return False
        if channel == "mark-price":
            return self._prices(message.get("data")) and self._listens
        if channel == "liquidation-orders":
            return self._liquidations(message.get("data")) and self._listens
        self._book.bad.drop("frames", "of no channel that was asked for")
        return False

    def _event(self, message: Mapping[str, Any], channel: object) -> None:
        event = message.get("event")
        if event == "subscribe" and channel == "liquidation-orders":
            self._listens = True
        elif event == "notice" and message.get("code") == _CLOSES_SOON:
            self.ends_soon = True
        elif event == "error":
            self._book.bad.drop("subscriptions", "refused")

    def _prices(self, rows: object) -> bool:
        heard = False
        for row in rows if isinstance(rows, list) else [None]:
            swap = self._listed().get(str(row.get("instId"))) if isinstance(row, dict) else None
            time_ms = milliseconds(row.get("ts")) if isinstance(row, dict) else None
            price = number(row.get("markPx")) if isinstance(row, dict) else 0.0
            if swap is None or time_ms is None or not price > 0:
                self._book.bad.drop("mark prices", "no known symbol, no time or no positive price")
                continue
            self._book.prices.take(swap.instrument.symbol, time_ms, price)
            self._book.sent_at(time_ms)
            heard = True
        return heard

    def _liquidations(self, rows: object) -> bool:
        found = list(parse_liquidations(rows, self._listed(), self._book.bad))
        for one in found:
            self._book.keep(one)
        if found:
            self._book.sent_at(None)
        return bool(found)


def parse_liquidations(rows: object, swaps: Mapping[str, Swap], bad: BadRows) -> Iterable[Print]:
    """The prints of one liquidation-orders frame, those of `swaps`: others are inverse, or of no coin.

    `side` is that of the order: sell closes a long, whatever `posSide` (long, short or net) is called.
    """
    for row in rows if isinstance(rows, list) else [None]:
        details = row.get("details") if isinstance(row, dict) else None
        if not isinstance(row, dict) or not isinstance(details, list):
            bad.drop("liquidations", "no details")
            continue
        swap = swaps.get(str(row.get("instId")))
        for detail in details if swap is not None else ():
            if swap is not None and (found := _print(detail, swap, bad)) is not None:
                yield found


def _print(detail: object, swap: Swap, bad: BadRows) -> Print | None:
    if not isinstance(detail, dict):
        bad.drop("liquidations", "not an object")
        return None
    side, time_ms = detail.get("side"), milliseconds(detail.get("ts"))
    price, coins = number(detail.get("bkPx")), number(detail.get("sz")) * swap.face_coins
    if side not in ("buy", "sell") or time_ms is None:
        bad.drop("liquidations", "no side or time")
        return None
    if not (price > 0 and coins > 0):
        bad.drop("liquidations", "no positive price and size")
        return None
    return Print(time_ms, swap.instrument.symbol, side == "sell", price, coins, at_bankruptcy=True)


def _marks_of(native: str) -> Mapping[str, Any]:
    return {"channel": "mark-price", "instId": native}
