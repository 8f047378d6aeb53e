"""`liqwatch record`: the live market written down as a recording, so that any day can be replayed and scored."""

import asyncio
import contextlib
import errno
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from bot.clock import Clock, SystemClock
from bot.failures import FailedError, UsageError
from bot.market.exchange import Exchange
from bot.market.feed import LiquidationFeed
from bot.market.symbols import SymbolBook
from bot.recorder import VenueRecorder, Wanted
from bot.settings import EXCHANGES, Settings
from bot.signals import stop_on_signals
from bot.storage.errors import CannotOpenError, DatabaseInUseError
from bot.storage.lock import FileLock
from bot.venues import open_exchanges, open_feeds

DAY_MS: Final = 86_400_000
LOOK_S: Final = 1.0
TELL_EVERY_S: Final = 300.0
"""Where nobody watches a terminal, a line is printed so often."""

KINDS: Final = ("bars", "open interest", "prices", "liquidations", "order books")

PrintLine = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """The command's arguments as typed; empty `symbols` and `exchanges` leave the choice to the program."""

    out: Path
    symbols: str = ""
    exchanges: str = ""
    for_ms: int | None = None

    def wanted(self, settings: Settings) -> Wanted:
        """Which contracts, how far back and how often."""
        names = tuple(name.strip() for name in self.symbols.split(",") if name.strip())
        everything = [name.lower() for name in names] == ["all"]
        return Wanted(
            symbols=None if everything else names,
            history_ms=settings.history_days * DAY_MS,
            tick_s=settings.tick_seconds,
        )

    def settings(self, settings: Settings) -> Settings:
        """The settings with the exchanges of the request. Raises UsageError."""
        names = tuple(dict.fromkeys(name.strip().lower() for name in self.exchanges.split(",") if name.strip()))
        if not names:
            return settings
        if unknown := [name for name in names if name not in EXCHANGES]:
            raise UsageError(f"--exchanges takes a list out of {', '.join(EXCHANGES)}, not '{unknown[0]}'")
        return settings.model_copy(update={"exchanges": names})


async def record_live(request: RecordRequest, settings: Settings, *, print_line: PrintLine) -> None:
    """Record until the time is over or a signal comes. Raises UsageError, FailedError, RecordingError."""
    settings = request.settings(settings)
    stop = stop_on_signals()
    with held(request.out):
        clock = SystemClock()
        exchanges = open_exchanges(settings, clock=clock)
        try:
            await record_exchanges(
                exchanges,
                open_feeds(settings, exchanges, clock=clock),
                request=request,
                wanted=request.wanted(settings),
                clock=clock,
                stop=stop,
                print_line=print_line,
            )
        finally:
            for exchange in exchanges.values():
                await exchange.aclose()


async def record_exchanges(
    exchanges: Mapping[str, Exchange],
    feeds: Mapping[str, LiquidationFeed],
    *,
    request: RecordRequest,
    wanted: Wanted,
    clock: Clock,
    stop: asyncio.Event,
    print_line: PrintLine,
) -> None:
    """The same, on these exchanges, until `stop`."""
    venues = [
        VenueRecorder(exchange, feeds.get(name), request.out, wanted=wanted, clock=clock)
        for name, exchange in exchanges.items()
    ]
    print_line(f"recording {', '.join(exchanges)} to {request.out}: Ctrl-C ends it, and what is written stays")
    works = [asyncio.ensure_future(venue.run()) for venue in venues]
    works.append(asyncio.ensure_future(tell(venues, wanted, clock, print_line)))
    works.append(asyncio.ensure_future(over(request.for_ms, clock)))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        done, _ = await asyncio.wait([*works, stopped], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    except OSError as error:
        raise cannot_write(request.out, error) from error
    finally:
        for task in (*works, stopped):
            task.cancel()
        await asyncio.gather(*works, stopped, return_exceptions=True)
    try:
        for venue in venues:
            await venue.finish()
    except OSError as error:
        raise cannot_write(request.out, error) from error
    if not any(venue.counts["bars"] + venue.counts["prices"] for venue in venues):
        why = "; ".join(f"{venue.name}: {venue.trouble or 'no answer'}" for venue in venues)
        raise FailedError(f"nothing was recorded: {why}")
    print_line("recorded " + said(venues))


async def over(for_ms: int | None, clock: Clock) -> None:
    """Wait until the time is over, for ever where it is not limited."""
    if for_ms is None:
        await asyncio.Event().wait()
    else:
        await clock.sleep(for_ms / 1000)


async def tell(venues: Sequence[VenueRecorder], wanted: Wanted, clock: Clock, print_line: PrintLine) -> None:
    """Show what is recorded: a line that changes in a terminal, else a line every five minutes.

    Raises UsageError once a named contract is known to be on no exchange.
    """
    console = Console(stderr=True)
    began_s = told_s = clock.monotonic()
    shown = console.status("") if console.is_terminal and sys.stderr.isatty() else None
    with shown or contextlib.nullcontext():
        while True:
            await clock.sleep(LOOK_S)
            refuse_unlisted(venues, wanted)
            line = f"{length(clock.monotonic() - began_s)} {said(venues)}"
            if shown is not None:
                shown.update(line)
            elif clock.monotonic() - told_s >= TELL_EVERY_S:
                told_s = clock.monotonic()
                print_line(line)


def said(venues: Sequence[VenueRecorder]) -> str:
    """What came so far, by exchange."""
    return "; ".join(_said(venue) for venue in venues)


def _said(venue: VenueRecorder) -> str:
    if venue.listed is None:
        return f"{venue.name}: not heard yet" + (f" ({venue.trouble})" if venue.trouble else "")
    figures = ", ".join(f"{venue.counts[kind]} {kind}" for kind in KINDS)
    lost = f", {venue.dropped} rows dropped for want of room" if venue.dropped else ""
    trouble = f" ({venue.trouble})" if venue.trouble else ""
    many = len(venue.symbols)
    return f"{venue.name}: {many} {'contract' if many == 1 else 'contracts'}, {figures}{lost}{trouble}"


def length(seconds: float) -> str:
    """`1:02:03`."""
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{second:02d}"


def refuse_unlisted(venues: Sequence[VenueRecorder], wanted: Wanted) -> None:
    """Raise UsageError where a named contract is on none of the exchanges, as soon as all have told theirs."""
    listed = [one for venue in venues for one in venue.listed or ()]
    if not wanted.symbols or any(venue.listed is None for venue in venues):
        return
    book = SymbolBook(listed)
    for text in wanted.symbols:
        if book.resolve(text) is None:
            raise UsageError(f"--symbols: no exchange lists '{text}'; the nearest are {', '.join(book.nearest(text))}")


@contextlib.contextmanager
def held(out: Path) -> Iterator[None]:
    """The folder, made where it is missing, for this process alone. Raises UsageError, FailedError."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = FileLock(out / ".recording")
    except (CannotOpenError, OSError) as error:
        cause = error.__cause__ if isinstance(error, CannotOpenError) else error
        why = getattr(cause, "strerror", None) or "it is no folder"
        raise UsageError(f"--out takes a folder that can be written; {out} cannot ({why})") from error
    except DatabaseInUseError as error:
        raise FailedError(f"another liqwatch record writes to {out}: end that one, or choose another folder") from error
    try:
        yield
    finally:
        lock.release()


def cannot_write(out: Path, error: OSError) -> FailedError:
    """One sentence on a disk that refuses."""
    cause = (
        "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f"the disk refuses ({error.strerror})"
    )
    return FailedError(
        f"{cause}: recording to {out} has ended; what was written is whole, and the same command goes on"
    )
