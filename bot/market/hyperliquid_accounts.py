"""The open positions of known Hyperliquid addresses, asked for in turn: exact liquidation prices, 2 of weight each."""

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.clock import Clock
from bot.liquidation.known import KnownPosition
from bot.liquidation.types import Side
from bot.market.bad_rows import BadRows, number
from bot.market.exchange import ExchangeError
from bot.market.hyperliquid_parse import VENUE, canonical_base
from bot.market.rows import wrong_shape

A_TURN: Final = 24
"""Addresses asked in one turn. A turn each 20 s is 144 of weight a minute: what half of the venue's limit leaves beside
its prices, with a little room for maps."""

FORGOTTEN_MS: Final = 3_600_000
"""An address that could not be asked for so long counts for nothing: its positions may be closed."""

Positions = Mapping[str, KnownPosition]
"""One account's positions by canonical symbol."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Account:
    asked_ms: int
    positions: Positions


class Accounts:
    """What the configured addresses hold, as last told. `ask` gives one address's positions, or raises ExchangeError.

    Nothing is told before each was asked once: a map would seem to grow with every address. Addresses stay in this
    process: neither a log nor an error's text repeats one.
    """

    def __init__(self, addresses: Sequence[str], ask: Callable[[str], Awaitable[Positions]], clock: Clock) -> None:
        self._turns = deque(addresses)
        self._ask = ask
        self._clock = clock
        self._known: dict[str, _Account] = {}
        self._asked = 0
        self._trouble = ""

    @property
    def complete(self) -> bool:
        """Whether each address was asked once."""
        return self._asked >= len(self._turns)

    async def ask_next(self, count: int = A_TURN) -> None:
        """Ask the next addresses, the longest not asked first. A failure ends the turn: the rest would fail too."""
        for _ in range(min(count, len(self._turns))):
            address = self._turns[0]
            try:
                positions = await self._ask(address)
            except ExchangeError as error:
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    log.warning("known positions not refreshed: %s", error)
                return
            finally:
                self._turns.rotate(-1)
                self._asked += 1
            self._trouble = ""
            self._known[address] = _Account(self._clock.now_ms(), positions)

    def of(self, symbol: str) -> Sequence[KnownPosition]:
        """The known open positions in one contract."""
        if not self.complete:
            return ()
        oldest_ms = self._clock.now_ms() - FORGOTTEN_MS
        accounts = (one for one in self._known.values() if one.asked_ms >= oldest_ms)
        return tuple(one.positions[symbol] for one in accounts if symbol in one.positions)


def parse_account(payload: object, bad: BadRows) -> Positions:
    """clearinghouseState: `szi` is signed (negative is short), `liquidationPx` null where there is none."""
    rows = payload.get("assetPositions") if isinstance(payload, dict) else None
    if not isinstance(rows, list):
        raise wrong_shape(VENUE, "clearinghouseState", "an object with assetPositions")
    return dict(_positions(rows, bad))


def _positions(rows: Sequence[object], bad: BadRows) -> Iterator[tuple[str, KnownPosition]]:
    for row in rows:
        position = row.get("position") if isinstance(row, dict) else None
        coin = position.get("coin") if isinstance(position, dict) else None
        if not isinstance(position, dict) or not isinstance(coin, str) or not coin:
            bad.drop("known positions", "no coin")
            continue
        coins, told = number(position.get("szi")), position.get("liquidationPx")
        price = None if told is None else number(told)
        if not abs(coins) > 0 or (price is not None and not price > 0):
            bad.drop("known positions", "no size, or no price")
        elif ":" not in coin:  # "xyz:TSLA" is a market of somebody else
            side = Side.LONG if coins > 0 else Side.SHORT
            yield canonical_base(coin) + "USDT", KnownPosition(side, abs(coins), price)
