"""Hears what the log complains of, for whoever counts it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LEVELS = ("WARNING", "ERROR", "CRITICAL")


class Listener(logging.Handler):
    """Hands on each record of at least `level`; what a listener does may fail without harm to who logs."""

    def __init__(self, heard: Callable[[logging.LogRecord], None], level: str) -> None:
        super().__init__(level)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._heard(record)
        except Exception:
            self.handleError(record)


@contextmanager
def hearing(heard: Callable[[logging.LogRecord], None], level: str = "WARNING") -> Iterator[None]:
    """Call `heard` with each record of the process, on the thread that logs it, until the end of the block."""
    listener = Listener(heard, level)
    root = logging.getLogger()
    root.addHandler(listener)
    try:
        yield
    finally:
        root.removeHandler(listener)
