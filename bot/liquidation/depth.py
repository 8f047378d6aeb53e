"""An order book at one moment, as what stands in the way of forced orders.

Distances are log distances from the book's own middle: a book is read later than the map is made, and may lie wholly on
one side of the map's price. A venue tells a book only so far; beyond the farthest order that was told, orders are taken
to go on in the density of all that were.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bot.liquidation.types import Cluster, Floats, Side

LEAST_LEVELS = 5
"""A side of fewer levels tells no density: such a book is thin."""


@dataclass(frozen=True, slots=True)
class RestingOrders:
    """One side of an order book, best first: `price` and `coins` (n,), bids falling or asks rising; at least one.

    `middle` is the price between the best bid and the best ask, from which the orders' distances count.
    """

    price: Floats
    coins: Floats
    middle: float

    @property
    def away(self) -> Floats:
        """The log distance of each order, (n,)."""
        return np.abs(np.log(self.price / self.middle))

    @property
    def seen(self) -> float:
        """The log distance of the farthest order that was told."""
        return abs(math.log(float(self.price[-1]) / self.middle))

    def usd_within(self, away: Floats) -> Floats:
        """USD of orders up to each log distance; the same shape. Raises ValueError where none rests away from it."""
        usd = np.concatenate(((0.0,), (self.price * self.coins).cumsum()))
        total, seen = float(usd[-1]), self.seen
        if not total > 0.0 or not seen > 0.0:
            raise ValueError("a chain takes orders that rest at some distance from the price")
        told: Floats = usd[np.searchsorted(self.away, away, side="right")]
        return told + np.maximum(away - seen, 0.0) * total / seen


@dataclass(frozen=True, slots=True)
class Depth:
    """The orders that rest at one moment, best first: bids fall, asks rise, and the best bid is below the best ask.

    Prices in quote currency, sizes in coins; shapes (n,) for the bids, (m,) for the asks.
    """

    time_ms: int
    bid_price: Floats
    bid_coins: Floats
    ask_price: Floats
    ask_coins: Floats

    @property
    def is_thin(self) -> bool:
        """Whether a side has too few levels to tell how the book goes on; of an empty one nothing else may be asked."""
        return min(len(self.bid_price), len(self.ask_price)) < LEAST_LEVELS

    @property
    def middle(self) -> float:
        """The price between the best bid and the best ask."""
        return 0.5 * float(self.bid_price[0] + self.ask_price[0])

    def nearest(self, levels: int) -> "Depth":
        """At most so many levels a side."""
        sides = (self.bid_price, self.bid_coins, self.ask_price, self.ask_coins)
        return Depth(self.time_ms, *(column[:levels] for column in sides))

    def in_steps(self, steps: int) -> "Depth":
        """The same in at most so many rows a side, evenly apart in log price: each holds the USD of its stretch and
        lies at that stretch's farthest order, so that sums up to there stay as they were.
        """
        (bid_price, bid_coins), (ask_price, ask_coins) = (
            _in_steps(self.against(side), steps) for side in (Side.LONG, Side.SHORT)
        )
        return Depth(self.time_ms, bid_price, bid_coins, ask_price, ask_coins)

    def against(self, side: Side) -> RestingOrders:
        """The orders that the forced ones of a side are filled from: bids take what longs sell."""
        if side is Side.LONG:
            return RestingOrders(self.bid_price, self.bid_coins, self.middle)
        return RestingOrders(self.ask_price, self.ask_coins, self.middle)

    def usd_to(self, level: float, *, price: float | None = None) -> float:
        """USD of orders from the price to a level: bids below, asks above. `price` is the middle where none is given;
        given, its distance to the level counts, from the middle.
        """
        away = math.log(level / (self.middle if price is None else price))
        orders = self.against(Side.LONG if away < 0.0 else Side.SHORT)
        return float(orders.usd_within(np.array([abs(away)]))[0])


def _in_steps(orders: RestingOrders, steps: int) -> tuple[Floats, Floats]:
    """Prices and coins of one side."""
    stretch = np.minimum((orders.away / orders.seen * steps).astype(np.int64), steps - 1)
    last = np.flatnonzero(np.append(np.diff(stretch) > 0, True))
    sums = (orders.price * orders.coins).cumsum()[last]
    price: Floats = orders.price[last]
    return price, np.diff(sums, prepend=0.0) / price


def absorption(cluster: Cluster, books: Depth | Iterable[Depth], *, price: float | None = None) -> float:
    """What would be liquidated in a cluster, over the orders from the price to its peak, of all the books together.

    Infinite where price stands at the peak. 5M in a thin book outranks 50M in a deep one. `price` as in `Depth.usd_to`.
    """
    read = (books,) if isinstance(books, Depth) else books
    depth_usd = sum(book.usd_to(cluster.peak, price=price) for book in read)
    return cluster.usd / depth_usd if depth_usd > 0.0 else math.inf
