"""Store what must be stored, however long the disk refuses."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.clock import Clock
from bot.storage.errors import LostLeaseError, StorageError

T = TypeVar("T")

_LONGEST_PAUSE_S = 30.0

log = logging.getLogger(__name__)


async def insist(work: Callable[[], Awaitable[T]], what: str, clock: Clock) -> T:
    """Do `work` until the storage takes it, saying loudly each time that it does not; only cancelling ends it early.

    `what` names the work in the log. The work must bear being done twice: a failed commit may have gone through.
    Raises LostLeaseError where another process has taken over: to insist would change nothing.
    """
    pause_s = 1.0
    while True:
        try:
            return await work()
        except LostLeaseError:
            raise
        except StorageError as error:
            known = {"reason": str(error), "pause_s": pause_s}
            log.critical("The database did not %s, trying again", what, extra=known)
        await clock.sleep(pause_s)
        pause_s = min(_LONGEST_PAUSE_S, 2 * pause_s)
