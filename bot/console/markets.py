"""The commands that ask about one market, live or recorded."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.console.options import At, Exchange, Json, Png, Recorded, Symbol, Words, command_settings, print_lines
from bot.times import parse_range_ms

if TYPE_CHECKING:
    from bot.place_commands import PlaceRequest
    from bot.settings import Settings

app = typer.Typer()


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
        at_ms=at,
        range_ms=None if range_ is None else parse_range_ms(range_),
        png=png,
        json=json,
        heatmap=heatmap,
        by_leverage=by_leverage,
    )
    print_lines(asyncio.run(make_map(request, command_settings(quiet=True))))


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
        at_ms=at,
        range_ms=None if range_ is None else parse_range_ms(range_),
        png=png,
        json=json,
    )
    print_lines(asyncio.run(make_history(request, command_settings(quiet=True))))


@app.command()
def position(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """My exposure: liqwatch position BTC long 5x at 97,000 [size 2,000] [margin 500] [cross]."""
    from bot.place_commands import tell_position

    _answer(tell_position, words, recording, exchange, at, json=json)


@app.command()
def stop(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """Where a stop sits: liqwatch stop BTC long entry 97,000 stop 95,200."""
    from bot.place_commands import tell_stop

    _answer(tell_stop, words, recording, exchange, at, json=json)


@app.command()
def levels(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """The clusters in order, what clearing each releases, and what comes behind it."""
    from bot.place_commands import tell_levels

    _answer(tell_levels, words, recording, exchange, at, json=json)


@app.command()
def cascade(
    words: Words, recording: Recorded = None, exchange: Exchange = None, at: At = None, json: Json = False
) -> None:
    """What each cluster would set off in the order book once price reaches it."""
    from bot.place_commands import tell_cascade

    _answer(tell_cascade, words, recording, exchange, at, json=json)


def _answer(
    tell: "Callable[[PlaceRequest, Settings], Awaitable[Iterable[str]]]",
    words: list[str],
    recording: Path | None,
    exchange: str | None,
    at_ms: int | None,
    *,
    json: bool,
) -> None:
    from bot.place_commands import PlaceRequest

    async def lines() -> Iterable[str]:
        request = PlaceRequest(words, recording, exchange, at_ms, json)
        return await tell(request, command_settings(quiet=True))

    print_lines(asyncio.run(lines()))
