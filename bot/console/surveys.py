"""The commands that ask about many markets at once, live or recorded."""

import asyncio
from typing import Annotated

import typer

from bot.console.options import At, Exchange, Json, Png, Recorded, command_settings, print_lines

app = typer.Typer()

Symbols = Annotated[list[str] | None, typer.Argument(help="Such as BTC ETH SOL. Default: all of the recording.")]


@app.command()
def pulse(
    symbols: Symbols = None,
    recording: Recorded = None,
    exchange: Exchange = None,
    at: At = None,
    png: Png = None,
    json: Json = False,
) -> None:
    """Which markets are wound up: concentration, shares near price, the heavier side, beside their own last week."""
    from bot.many_markets import ManyRequest
    from bot.pulse_command import tell_pulse

    request = ManyRequest(symbols or (), recording, exchange, at, png, json)
    print_lines(asyncio.run(tell_pulse(request, command_settings(quiet=True))))


@app.command()
def scan(
    symbols: Symbols = None,
    by: Annotated[str, typer.Option("--by", help="nearest, growing, onesided or absorption.")] = "nearest",
    recording: Recorded = None,
    exchange: Exchange = None,
    at: At = None,
    png: Png = None,
    json: Json = False,
) -> None:
    """Rank markets: nearest big clusters, fastest growing ones, most one-sided, highest absorption."""
    from bot.many_markets import ManyRequest
    from bot.scan_command import parse_order, tell_scan

    request = ManyRequest(symbols or (), recording, exchange, at, png, json)
    print_lines(asyncio.run(tell_scan(request, parse_order(by), command_settings(quiet=True))))
