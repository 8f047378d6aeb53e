"""Whether the messenger answers at all; while it does not, one message at a time asks."""

import logging
import random

from bot.clock import Clock
from bot.delivery.outcomes import retry_pause_s

# Failures in a row, of whichever rows, with nothing known to arrive in between.
DOWN_AFTER = 5

log = logging.getLogger(__name__)


class Outage:
    """Counts calls that got no answer since the last one that did."""

    def __init__(self, clock: Clock, chance: random.Random) -> None:
        self._clock = clock
        self._chance = chance
        self._failures = 0
        self._probe_at_s = 0.0

    @property
    def suspected(self) -> bool:
        """Whether nothing has got through since the last call, or several, got no answer."""
        return self._failures > 0

    @property
    def down(self) -> bool:
        """Whether so many calls got no answer that only a probe may go."""
        return self._failures >= DOWN_AFTER

    def answered(self) -> None:
        """The server said something, be it a refusal."""
        if self.down:
            log.warning("The messenger answers again", extra={"failures": self._failures})
        self._failures = 0

    def unanswered(self, reason: str) -> None:
        """A call did not get through, or nobody knows whether it did."""
        self._failures += 1
        if self.down:
            pause_s = retry_pause_s(self._failures - DOWN_AFTER + 1, self._chance)
            self._probe_at_s = self._clock.monotonic() + pause_s
        if self._failures == DOWN_AFTER:
            log.error("The messenger cannot be reached, one message at a time tries it", extra={"reason": reason})

    def allows(self, *, capacity: int, in_flight: int) -> int:
        """How many more messages may be started now."""
        if not self.down:
            return capacity - in_flight
        return 1 if in_flight == 0 and self._clock.monotonic() >= self._probe_at_s else 0
