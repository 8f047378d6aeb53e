"""What the collector walks: nothing of the start, all that came after it."""

import gc
import weakref

from bot.heap import settled


class Ring:
    """Dead once nobody else knows it, which only the collector can tell."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_at_the_start_is_not_walked_until_the_end() -> None:
    before = len(gc.get_objects())
    with settled():
        assert gc.get_freeze_count() > before // 2
        assert len(gc.get_objects()) < before // 2
    assert gc.get_freeze_count() == 0


def test_a_ring_that_is_made_later_is_still_found() -> None:
    with settled():
        made = weakref.ref(Ring())
        gc.collect()
        assert made() is None
