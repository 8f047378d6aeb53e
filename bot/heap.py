"""What searches for rings of dead objects cost: each walks all that may be one, and everything else waits meanwhile."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Search for none meanwhile: a replay makes none as it goes."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def settled() -> Iterator[None]:
    """What is there now is there to stay, and no search walks it meanwhile: with it one stops the loop of a bot with
    100,000 rules for 0.1 s, without it for 0.03 s.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
