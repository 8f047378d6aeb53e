"""A sign of life on standard error for work that takes more than a moment; silent where nobody watches."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def busy(words: str) -> Iterator[None]:
    """Show `words` with a spinner while the block runs."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(words):
        yield


def while_busy(lines: Iterable[str], words: str) -> Iterator[str]:
    """The lines, with the spinner while they are awaited: until the first one where they go to the same terminal."""
    waiting = iter(lines)
    if sys.stdout.isatty():
        with busy(words):
            first = next(waiting, None)
        if first is not None:
            yield first
            yield from waiting
        return
    with busy(words):
        yield from waiting
