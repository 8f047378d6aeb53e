"""Flapping: a rule goes in and out of reach of one cluster again and again. Its alerts then come as a digest.

A check is one recompute's slot. Of the last 21 checks, the share of the 20 steps between them in which something
turned decides: at 30 % a pair of rule and cluster flaps, and until 20 % it goes on (Nagios has the two thresholds).
A price that passes one cluster after the other is no flapping: each pair is counted by itself.
"""

from typing import NamedTuple

CHECK_MS = 300_000
STEPS = 20
BEGINS_SHARE = 0.30
ENDS_SHARE = 0.20

Pair = tuple[int, str]
"""Rule id and track id."""


class Turning(NamedTuple):
    """The checks in which a pair turned lately, oldest first, and whether it flaps since."""

    checks: tuple[int, ...] = ()
    flapping: bool = False

    def turned(self, time_ms: int) -> "Turning":
        """With one more turn; many in one check count once."""
        check, checks = time_ms // CHECK_MS, self.checks
        if checks and checks[0] <= check - STEPS:
            checks = tuple(one for one in checks if check - STEPS < one)
        if not checks or checks[-1] < check:
            checks = (*checks, check)
        elif check not in checks:  # a clock was put back
            checks = tuple(sorted((*checks, check)))
        elif checks is self.checks:
            return self
        return Turning(checks, _flaps(len(checks), flapping=self.flapping))

    def flaps(self, time_ms: int) -> bool:
        """Whether it flaps at that time, also where nothing has turned since."""
        check = time_ms // CHECK_MS
        if not _flaps(len(self.checks), flapping=self.flapping):
            return False  # as of most pairs: with all of the checks they would be too few
        return _flaps(sum(check - STEPS < one <= check for one in self.checks), flapping=self.flapping)

    def is_over(self, time_ms: int) -> bool:
        """Whether all of it is too long ago to matter."""
        return not self.checks or self.checks[-1] <= time_ms // CHECK_MS - STEPS


STEADY = Turning()


def _flaps(turns: int, *, flapping: bool) -> bool:
    share = turns / STEPS
    return share > ENDS_SHARE if flapping else share >= BEGINS_SHARE
