"""Flapping: a rule goes in and out of reach of one cluster again and again. Its alerts then come as a digest.

A check is one recompute's slot. Of the last 21 checks, the share of the 20 steps between them in which something
turned decides: at 30 % a pair of rule and cluster flaps, and until 20 % it goes on (Nagios has the two thresholds).
A price that passes one cluster after the other is no flapping: each pair is counted by itself.
"""

from typing import NamedTuple

CHECK_MS = 300_000
STEPS = 20
BEGINS = 6
GOES_ON = 5
"""So many steps in which something turned: 30 % of them, and more than 20 %."""
LATELY = 1 << STEPS
"""As many checks as count: the rest of a division by it has their bits."""

Pair = tuple[int, str]
"""Rule id and track id."""


class Turning(NamedTuple):
    """The checks in which a pair turned lately, and whether it flaps since.

    The bits of `turns` are the checks, from `newest` backwards: the lowest is of the newest one itself.
    """

    newest: int = 0
    turns: int = 0
    flapping: bool = False

    def turned(self, time_ms: int) -> "Turning":
        """With one more turn; many in one check count once."""
        newest, turns, flapping = self
        since = time_ms // CHECK_MS - newest
        if since > 0:
            newest += since
            turns = (turns << since) % LATELY + 1 if since < STEPS else 1
        elif since == 0 and turns < LATELY:
            return self
        else:  # a clock was put back
            turns = (turns | 1 << -since) % (LATELY << -since)
        return Turning(newest, turns, turns.bit_count() >= (GOES_ON if flapping else BEGINS))

    def flaps(self, time_ms: int) -> bool:
        """Whether it flaps at that time, also where nothing has turned since."""
        newest, turns, flapping = self
        needed = GOES_ON if flapping else BEGINS
        if turns.bit_count() < needed:
            return False  # as most pairs: with all of the turns they would be too few
        since = time_ms // CHECK_MS - newest
        lately = (turns << since if since > 0 else turns >> -since) % LATELY
        return lately.bit_count() >= needed

    def is_over(self, time_ms: int) -> bool:
        """Whether all of it is too long ago to matter."""
        return self.newest <= time_ms // CHECK_MS - STEPS


STEADY = Turning()
