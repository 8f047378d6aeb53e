"""What the commands of the console share: their arguments, the settings they run under, and how they print."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.logs import setup
from bot.times import parse_time_ms

if TYPE_CHECKING:
    from bot.settings import Settings

Recorded = Annotated[Path | None, typer.Option("--recording", help="A recording's folder instead of the live market.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Exchange = Annotated[str | None, typer.Option("--exchange", help="The exchange, where the recording has several.")]
Symbol = Annotated[str, typer.Argument(help="Any spelling: BTCUSDT, btc, ZRX-USDT-SWAP.")]
At = Annotated[
    int | None,
    typer.Option("--at", parser=parse_time_ms, metavar="<time>", help="The moment, such as 2025-12-20T00:00:00Z."),
]
Words = Annotated[list[str], typer.Argument(help="As after the bot's command of the same name.")]
Png = Annotated[Path | None, typer.Option("--png", help="Write the picture to this file.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same market.")]


def command_settings(*, quiet: bool = False) -> "Settings":
    """The settings, with logging set up by them; `quiet` keeps a terminal to itself unless a level was asked for."""
    from bot.settings import load_settings  # takes longer to import than what asks for no settings does to begin

    settings = load_settings()
    asked = "log_level" in settings.model_fields_set or settings.telegram_bot_token is not None
    setup(settings.log_level if asked or not quiet else "WARNING", settings.log_format)
    return settings


def print_line(line: str) -> None:
    typer.echo(line)


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
