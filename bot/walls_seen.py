"""Order books for the walls in them: read where a rule asks what stands at a cluster, or somebody looks at levels."""

from collections.abc import Sequence

from bot.alerts.types import Market
from bot.live_market import LiveMarket
from bot.order_books import OrderBooks


async def look_for_walls(live: LiveMarket, parts: Sequence[Market], books: OrderBooks) -> None:
    """Let a market see the walls of its exchanges' books, as far as these are told; `parts` is what it is made of."""
    found = await books.read_each(parts)
    live.see_books(tuple(found.values()))
