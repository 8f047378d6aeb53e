"""The console: one command each, a bad argument explained in one line, exit codes 0 fine, 1 failed, 2 wrong usage."""

import asyncio
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from bot.console import database, markets, recordings, surveys
from bot.console.options import Json, Recorded, Seed, command_settings
from bot.failures import FailedError, UsageError
from bot.logs import redact

app = typer.Typer(name="liqwatch", add_completion=False, rich_markup_mode=None)


def parse_speed(text: str) -> float | None:
    """`max` is None; a number says how many times faster than real."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 1 <= speed <= 100_000:
        raise UsageError(f"--speed takes max or a number from 1 to 100000, not '{text}'")
    return speed


@app.command()
def run() -> None:
    """Run the bot. Without TELEGRAM_BOT_TOKEN the chat is shown in this terminal."""
    settings = command_settings(quiet=True)
    from bot.run import run_bot  # imported here so that --help, short commands and wrong settings are answered fast

    asyncio.run(run_bot(settings))


@app.command()
def worker() -> None:
    """Read exchanges and draw maps for the bot on the same PostgreSQL: any number of them, best each on its address."""
    settings = command_settings()
    from bot.worker import run_worker

    asyncio.run(run_worker(settings))


@app.command()
def demo(
    recording: Recorded = None,
    speed: Annotated[str, typer.Option(help="max, or how many times faster than real.")] = "300",
    seed: Seed = 3,
    json: Json = False,
) -> None:
    """Show the whole pipeline on a simulated market, or on a recording: no token, no network."""
    from bot.demo import run_demo

    settings = command_settings(quiet=True)
    if hasattr(signal, "SIGPIPE"):
        # No sockets here, so a reader that goes away (`| head`) may end us as it ends any Unix tool.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    asyncio.run(
        run_demo(recording=recording, speed=parse_speed(speed), seed=seed, json=json, charts=settings.charts_dir)
    )


for _group in (markets, surveys, recordings, database):
    app.add_typer(_group.app)


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"liqwatch: {redact(' '.join(message.split()))}\n")
    raise SystemExit(code)


def _exit_code(error: Exception) -> int | None:
    """2 where the caller can mend it (arguments, settings, a broken recording), 1 where the world failed, else None."""
    from bot.market.columns import RecordingError
    from bot.market.exchange import ExchangeError
    from bot.settings import SettingsError
    from bot.storage.errors import StorageError

    if isinstance(error, (UsageError, SettingsError, RecordingError)):
        return 2
    return 1 if isinstance(error, (ExchangeError, StorageError, FailedError, OSError)) else None


def main() -> None:
    """Run a command; every expected failure ends in one line on standard error."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        _fail(f"{error.format_message().rstrip('.')}: see liqwatch --help", 2)
    except (KeyboardInterrupt, typer.Abort):
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing is wrong, and Python must not try to flush again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except Exception as error:
        expected = _exit_code(error)
        if expected is None:
            raise
        _fail(str(error), expected)
    raise SystemExit(code if isinstance(code, int) else 0)
