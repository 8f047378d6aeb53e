"""Who goes first where a venue's budget is short: told by whoever asks, for every question under it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum


class Priority(IntEnum):
    """In order of service."""

    PRICES = 0
    """All prices at once: alerts wait for them."""
    WATCHED = 1
    """The history of a watched market: its next map waits for it."""
    ASKED = 2
    """A person waits for the answer."""
    BACKGROUND = 3
    """Nobody waits: history kept in store."""


_priority: ContextVar[Priority] = ContextVar("priority", default=Priority.ASKED)


@contextmanager
def asking_as(priority: Priority) -> Iterator[None]:
    """Every request made inside, also by tasks begun there, has this priority; outside it is ASKED."""
    before = _priority.set(priority)
    try:
        yield
    finally:
        _priority.reset(before)


def current_priority() -> Priority:
    return _priority.get()
