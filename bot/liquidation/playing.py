"""Bars played on the books of both sides: stretch by stretch, with the flow that open interest and volume tell of."""

from collections.abc import Sequence

import numpy as np

from bot.liquidation.bars import path_of
from bot.liquidation.book import REACH, Book, Stood
from bot.liquidation.flow import Flows
from bot.liquidation.standing import stock_profile
from bot.liquidation.types import Floats, History
from bot.liquidation.way import stretches, ways_of


def play(books: Sequence[Book], late: History, flow: Flows, mixing: Floats, *, ahead: int) -> tuple[Stood, Stood]:
    """Take the next bars of a checked history into account: what stood on each side meanwhile.

    `flow` is that of these bars, `mixing` (n, rows) weighs the rows in what is told of `ahead` cells.
    """
    path = path_of(late.high, late.low, late.close, late.volume, late.quote_volume)
    stood: list[list[Stood]] = [[] for _ in books]
    for first, end in stretches(path, books[1].close):
        kept = flow.kept[:, first:end].T
        for book, way, found in zip(books, ways_of(path, first, end, flow.stock_bar), stood, strict=True):
            opened = flow.opened[:, first:end].T
            if first <= flow.stock_bar < end:
                opened = opened.copy()
                opened[flow.stock_bar - first] = flow.stock / stock_profile(book.kernel, REACH).sum()
            found.append(book.play(way, kept, opened, mixing[first:end], ahead=ahead))
    longs, shorts = (_joined(found) for found in stood)
    return longs, shorts


def _joined(stood: Sequence[Stood]) -> Stood:
    if len(stood) == 1:
        return stood[0]
    return Stood(*(np.concatenate([getattr(one, name) for one in stood]) for name in Stood.__dataclass_fields__))
