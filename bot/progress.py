"""A sign of life on standard error for work that takes more than a moment; silent where nobody watches."""

import sys
from collections.abc import Callable, Iterable, Iterator
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


@contextmanager
def counting() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for work that knows how much it is: told what is being done, how much is done, and of how much."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _words, _done, _all: None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda words, done, all_: bar.update(task, description=words, completed=done, total=all_)


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
