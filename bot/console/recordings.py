"""The commands that write recordings, run the program over them, and measure it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.console.options import Json, Seed, command_settings, print_line, print_lines
from bot.heap import uncollected
from bot.progress import while_busy
from bot.times import parse_duration_ms

app = typer.Typer()


@app.command()
def replay(
    recording: Annotated[Path, typer.Argument(help="A recording's folder.")],
    rules: Annotated[Path, typer.Option(help='A JSON list of {"chat": 1, "watch": "BTC 1%"}.')],
    json: Json = False,
) -> None:
    """Run the alert engine over a recording; the same input gives the same bytes."""
    from bot.replay import replay_recording

    with uncollected():
        lines = while_busy(replay_recording(recording, rules, json=json), "Replaying")
        sys.stdout.writelines(f"{line}\n" for line in lines)  # far more lines than are worth a flush each
        sys.stdout.flush()


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
    asyncio.run(record_live(request, command_settings(quiet=True), print_line=print_line))


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
def bench(
    database: Annotated[
        str | None, typer.Option(metavar="URL", help="Measure on its disk or server, not that of DATABASE_URL.")
    ] = None,
    capacity: Annotated[
        bool, typer.Option("--capacity", help="What a million chats with ten million rules would take: some minutes.")
    ] = False,
    json: Json = False,
) -> None:
    """Measure speed and memory, the database's in a place of its own beside it."""
    from bot.bench import run_bench
    from bot.bench_capacity import run_capacity

    url = database or command_settings(quiet=True).database_url
    measure = run_capacity if capacity else run_bench
    print_lines(while_busy(measure(database_url=url, json_output=json), "Measuring"))
