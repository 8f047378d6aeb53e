"""A doer in a process of its own, to be killed: it takes jobs, tells which, and never ends them."""

import asyncio
import sys

from bot.storage.slots import Slot
from bot.storage.work_queue import WorkQueue
from bot.work import URGENCY


async def hang(slot: Slot) -> None:
    print(slot.market.symbol, flush=True)  # noqa: T201 (whoever started this process reads it)
    await asyncio.Event().wait()


if __name__ == "__main__":
    queue = WorkQueue(sys.argv[1], urgency=URGENCY, silent_s=1.0)
    asyncio.run(queue.run(dict.fromkeys(URGENCY, hang), at_once=4))
