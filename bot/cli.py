"""The console: one command each, a bad argument explained in one line, exit codes 0 fine, 1 failed, 2 wrong usage."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot.failures import FailedError, UsageError
from bot.logs import redact, setup
from bot.progress import busy, while_busy
from bot.settings import Settings, SettingsError, load_settings
from bot.times import parse_duration_ms, parse_range_ms, parse_time_ms

if TYPE_CHECKING:
    from bot.place_commands import PlaceRequest

app = typer.Typer(name="liqwatch", add_completion=False, rich_markup_mode=None)

outbox = typer.Typer(help="What waits to be sent and what could not be; works beside a running bot.")
app.add_typer(outbox, name="outbox")

MessageIds = Annotated[list[int], typer.Argument(help="Ids as `liqwatch outbox` lists them.")]
MessageIdsOrNone = Annotated[list[int] | None, typer.Argument(help="Ids as `liqwatch outbox` lists them.")]
Recorded = Annotated[Path | None, typer.Option("--recording", help="A recording's folder instead of the live market.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Exchange = Annotated[str | None, typer.Option("--exchange", help="The exchange, where the recording has several.")]
Symbol = Annotated[str, typer.Argument(help="Any spelling: BTCUSDT, btc, ZRX-USDT-SWAP.")]
At = Annotated[str | None, typer.Option("--at", help="The moment, such as 2025-12-20T00:00:00Z.")]
Words = Annotated[list[str], typer.Argument(help="As after the bot's command of the same name.")]
Png = Annotated[Path | None, typer.Option("--png", help="Write the picture to this file.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same market.")]


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
    settings = _settings(quiet=True)
    from bot.run import run_bot  # imported here so that --help, short commands and wrong settings are answered fast

    asyncio.run(run_bot(settings))


@app.command()
def demo(
    recording: Recorded = None,
    speed: Annotated[str, typer.Option(help="max, or how many times faster than real.")] = "300",
    seed: Seed = 3,
    json: Json = False,
) -> None:
    """Show the whole pipeline on a simulated market, or on a recording: no token, no network."""
    from bot.demo import run_demo

    settings = _settings(quiet=True)
    if hasattr(signal, "SIGPIPE"):
        # No sockets here, so a reader that goes away (`| head`) may end us as it ends any Unix tool.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    asyncio.run(
        run_demo(recording=recording, speed=parse_speed(speed), seed=seed, json=json, charts=settings.charts_dir)
    )


@app.command("map")
def map_(
    symbol: Symbol,
    recording: Recorded = None,
    exchange: Exchange = None,
    at: At = None,
    range_: Annotated[str | None, typer.Option("--range", help="Only positions opened within 12h ... 30d.")] = None,
    png: Png = None,
    heatmap: Annotated[bool, typer.Option("--heatmap", help="The picture shows how the map came to be.")] = False,
    by_leverage: Annotated[bool, typer.Option("--by-leverage", help="The picture colours it by leverage.")] = False,
    json: Json = False,
) -> None:
    """Make one liquidation map."""
    from bot.one_map import MapRequest, make_map

    request = MapRequest(
        symbol=symbol,
        recording=recording,
        exchange=exchange,
        at_ms=None if at is None else parse_time_ms(at),
        range_ms=None if range_ is None else parse_range_ms(range_),
        png=png,
        json=json,
        heatmap=heatmap,
        by_leverage=by_leverage,
    )
    print_lines(asyncio.run(make_map(request, _settings(quiet=True))))


@app.command()
def history(
    symbol: Symbol,
    recording: Recorded = None,
    exchange: Exchange = None,
    at: At = None,
    range_: Annotated[str | None, typer.Option("--range", help="How far back, 12h ... 30d. Default: 7d.")] = None,
    png: Png = None,
    json: Json = False,
) -> None:
    """What became of a market's clusters: how many, how they ended, the largest of them."""
    from bot.one_history import HistoryRequest, make_history

    request = HistoryRequest(
        symbol=symbol,
        recording=recording,
        exchange=exchange,
        at_ms=None if at is None else parse_time_ms(at),
        range_ms=None if range_ is None else parse_range_ms(range_),
        png=png,
        json=json,
    )
    print_lines(asyncio.run(make_history(request, _settings(quiet=True))))


@app.command()
def position(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """My exposure: liqwatch position BTC long 5x at 97,000 [size 2,000] [margin 500] [cross]."""
    from bot.place_commands import tell_position

    request = _place_request(words, recording, exchange, at, json=json)
    print_lines(asyncio.run(tell_position(request, _settings(quiet=True))))


@app.command()
def stop(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """Where a stop sits: liqwatch stop BTC long entry 97,000 stop 95,200."""
    from bot.place_commands import tell_stop

    request = _place_request(words, recording, exchange, at, json=json)
    print_lines(asyncio.run(tell_stop(request, _settings(quiet=True))))


@app.command()
def levels(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """The clusters in order, what clearing each releases, and what comes behind it."""
    from bot.place_commands import tell_levels

    request = _place_request(words, recording, exchange, at, json=json)
    print_lines(asyncio.run(tell_levels(request, _settings(quiet=True))))


@app.command()
def cascade(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """What each cluster would set off in the order book once price reaches it."""
    from bot.place_commands import tell_cascade

    request = _place_request(words, recording, exchange, at, json=json)
    print_lines(asyncio.run(tell_cascade(request, _settings(quiet=True))))


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="A recording's folder.")],
    rules: Annotated[Path, typer.Option(help='A JSON list of {"chat": 1, "watch": "BTC 1%"}.')],
    json: Json = False,
) -> None:
    """Run the alert engine over a recording; the same input gives the same bytes."""
    from bot.replay import replay_recording

    print_lines(while_busy(replay_recording(recording, rules, json=json), "Replaying"))


@app.command()
def score(recording: Annotated[Path, typer.Argument(help="A recording's folder.")], json: Json = False) -> None:
    """Score the map against realised liquidations, beside a model that knows only the distance."""
    from bot.scoring import score_recording

    print_lines(while_busy(score_recording(recording, json=json), "Scoring"))


@app.command()
def record(
    out: Annotated[Path, typer.Option(help="The folder to write; one that is there already is continued.")],
    symbols: Annotated[
        str,
        typer.Option(help="Such as BTC,ETH; all for every contract. Default: the ten most traded of each exchange."),
    ] = "",
    exchanges: Annotated[str, typer.Option(help="Such as binance,okx. Default: the setting EXCHANGES.")] = "",
    for_: Annotated[
        str | None, typer.Option("--for", help="How long, such as 30m or 1d. Default: until Ctrl-C.")
    ] = None,
) -> None:
    """Write the live market down as a recording, for replay, score and map."""
    from bot.record import RecordRequest, record_live

    request = RecordRequest(
        out=out,
        symbols=symbols,
        exchanges=exchanges,
        for_ms=None if for_ is None else parse_duration_ms(for_),
    )
    asyncio.run(record_live(request, _settings(quiet=True), print_line=print_line))


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    seed: Seed = 7,
    days: Annotated[int, typer.Option(min=1, max=365, help="How long a history.")] = 30,
) -> None:
    """Write a recording of a simulated market, with its truth."""
    from bot.demo import write_simulation

    print_lines(while_busy(write_simulation(seed=seed, days=days, out=out), "Simulating"))


@app.command()
def bench(json: Json = False) -> None:
    """Measure speed and memory."""
    from bot.bench import run_bench

    print_lines(while_busy(run_bench(json_output=json), "Measuring"))


@app.command()
def doctor() -> None:
    """Check settings, token, database and exchanges."""
    from bot.doctor import examine

    raise typer.Exit(asyncio.run(examine(_settings(quiet=True), print_line=print_line)))


@app.command()
def migrate() -> None:
    """Bring the database to this version's schema."""
    from bot.doctor import migrate_database

    print_line(asyncio.run(migrate_database(_settings(quiet=True))))


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="A new file.")]) -> None:
    """Copy the database, also while the bot runs, and check the copy."""
    from bot.backup_command import back_up_database

    settings = _settings(quiet=True)
    with busy("Copying"):
        lines = back_up_database(settings, file)
    print_lines(lines)


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file that `liqwatch backup` wrote.")]) -> None:
    """Put a backup in the database's place; the bot must not run. The old database is kept beside it."""
    from bot.backup_command import restore_database

    settings = _settings(quiet=True)
    with busy("Restoring"):
        lines = restore_database(settings, file)
    print_lines(lines)


@outbox.callback(invoke_without_command=True)
def outbox_summary(context: typer.Context) -> None:
    """What waits to be sent and what could not be, with the reason; works beside a running bot."""
    if context.invoked_subcommand is None:
        outbox_list()


@outbox.command("list")
def outbox_list(
    state: Annotated[str | None, typer.Option(help="ready, sending, ambiguous, sent or dead.")] = None,
    chat: Annotated[int | None, typer.Option(help="Messages to this chat only.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many.")] = 50,
    json: Json = False,
) -> None:
    """List messages that are not delivered, newest first."""
    from bot.outbox_command import list_messages

    print_lines(asyncio.run(list_messages(_settings(quiet=True), state=state, chat=chat, limit=limit, json_=json)))


@outbox.command("show")
def outbox_show(ids: MessageIds, json: Json = False) -> None:
    """Show everything about messages."""
    from bot.outbox_command import show_messages

    print_lines(asyncio.run(show_messages(_settings(quiet=True), ids, json_=json)))


@outbox.command("requeue")
def outbox_requeue(
    ids: MessageIdsOrNone = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead message.")] = False,
) -> None:
    """Queue dead messages again; one that may have arrived is sent silently and marked as a repeat."""
    from bot.outbox_command import requeue_messages

    print_lines(asyncio.run(requeue_messages(_settings(quiet=True), ids or [], every=every)))


@outbox.command("drop")
def outbox_drop(ids: MessageIds) -> None:
    """End messages that wait, unsent."""
    from bot.outbox_command import drop_messages

    print_lines(asyncio.run(drop_messages(_settings(quiet=True), ids)))


def _place_request(
    words: list[str], recording: Path | None, exchange: str | None, at: str | None, *, json: bool
) -> "PlaceRequest":
    from bot.place_commands import PlaceRequest

    return PlaceRequest(words, recording, exchange, None if at is None else parse_time_ms(at), json)


def print_line(line: str) -> None:
    typer.echo(line)


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


def _settings(*, quiet: bool = False) -> Settings:
    """The settings, with logging set up by them; `quiet` keeps a terminal to itself unless a level was asked for."""
    settings = load_settings()
    asked = "log_level" in settings.model_fields_set or settings.telegram_bot_token is not None
    setup(settings.log_level if asked or not quiet else "WARNING", settings.log_format)
    return settings


def _fail(message: str, code: int) -> NoReturn:
    sys.stderr.write(f"liqwatch: {redact(' '.join(message.split()))}\n")
    raise SystemExit(code)


def _exit_code(error: Exception) -> int | None:
    """2 where the caller can mend it (arguments, settings, a broken recording), 1 where the world failed, else None."""
    from bot.market.columns import RecordingError
    from bot.market.exchange import ExchangeError
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
