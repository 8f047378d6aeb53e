"""Flapping, against the plain list of the checks in which a pair turned."""

from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.flapping import CHECK_MS, STEPS, Turning

STEP = st.one_of(st.integers(0, 3), st.integers(-40, 40))
"""From one turn to the next, in checks: mostly the same one or soon after, at times long after, or a clock put back."""


def flaps(turns: int, *, before: bool) -> bool:
    return turns / STEPS > 0.20 if before else turns / STEPS >= 0.30


@given(steps=st.lists(st.tuples(STEP, STEP), max_size=60))
def test_of_the_last_twenty_checks_those_with_a_turn_decide(steps: list[tuple[int, int]]) -> None:
    turning, turned, flapping, check = Turning(), set[int](), False, 1_000
    for step, later in steps:
        check += step
        turning = turning.turned(check * CHECK_MS + 7)
        turned = {one for one in turned if one > check - STEPS} | {check}
        flapping = flaps(len(turned), before=flapping)
        at = check + later
        lately = [one for one in turned if at - STEPS < one <= at]
        assert turning.flaps(at * CHECK_MS) is flaps(len(lately), before=flapping)
        assert turning.is_over(at * CHECK_MS) is (max(turned) <= at - STEPS)
