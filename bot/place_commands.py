"""`liqwatch position`, `stop`, `levels` and `cascade`: the bot's answers about levels, on the command line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.alert_line import dump_line
from bot.alerts.grammar import ParseError
from bot.alerts.place_line import parse_position, parse_stop
from bot.alerts.types import Market
from bot.failures import FailedError, UsageError
from bot.found_market import FoundMarket, MarketRequest, find_market
from bot.liquidation.levels import levels_of
from bot.liquidation.own_exposure import expose_position
from bot.liquidation.position import PositionError
from bot.liquidation.stop_placement import place_stop
from bot.liquidation.types import Side
from bot.market.history import FEE_IN_REQUIREMENT
from bot.market.types import SIMULATED
from bot.place_json import cascade_json, levels_json, position_json, stop_json
from bot.settings import Settings
from bot.telegram.cascade_text import CascadeText
from bot.telegram.cascade_view import cascade_of
from bot.telegram.commands.faults import fault_words
from bot.telegram.desk import MarketView
from bot.telegram.ground import GroundView
from bot.telegram.limits import TEXT_UNITS, bare
from bot.telegram.place_text import PlaceText
from bot.telegram.texts import Catalogue, Texts


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """What was asked for on the command line: the words as after the bot's command, and where to look."""

    words: Sequence[str]
    recording: Path | None
    exchange: str | None
    at_ms: int | None
    json: bool


@dataclass(frozen=True, slots=True)
class _Place:
    view: GroundView
    writer: PlaceText


async def tell_position(request: PlaceRequest, settings: Settings) -> Iterator[str]:
    """Lines to print. Raises UsageError, FailedError, RecordingError."""
    texts = _texts()
    line = parse_position(" ".join(request.words), _unresolved)
    if isinstance(line, ParseError):
        raise _misread(line, texts, "position")
    place = await _find(request, line.market, settings, texts)
    if not place.view.tiers:
        raise FailedError(bare(place.writer.no_tiers()))
    position = line.position(place.view.ground.price)
    try:
        report = expose_position(
            position, place.view.ground, place.view.volatility, place.view.tiers, fee_rate=place.view.fee_rate
        )
    except PositionError as error:
        raise UsageError(bare(place.writer.fault(error, size_usd=position.size_usd))) from None
    if request.json:
        return iter([dump_line(position_json(report, place.view, size_said=line.names_size))])
    return iter(bare(place.writer.position(report, size_said=line.names_size)).splitlines())


async def tell_stop(request: PlaceRequest, settings: Settings) -> Iterator[str]:
    """Lines to print. Raises UsageError, FailedError, RecordingError."""
    texts = _texts()
    line = parse_stop(" ".join(request.words), _unresolved)
    if isinstance(line, ParseError):
        raise _misread(line, texts, "stop")
    place = await _find(request, line.market, settings, texts)
    ground = place.view.ground
    try:
        entry = ground.price if line.entry is None else line.entry
        report = place_stop(line.side, entry, line.stop, ground, place.view.volatility)
    except PositionError as error:
        raise UsageError(bare(place.writer.fault(error))) from None
    if request.json:
        return iter([dump_line(stop_json(report, place.view))])
    return iter(bare(place.writer.stop(report)).splitlines())


async def tell_levels(request: PlaceRequest, settings: Settings) -> Iterator[str]:
    """Lines to print. Raises UsageError, FailedError, RecordingError."""
    place = await _find(request, Market("", " ".join(request.words)), settings, _texts(), wide=False)
    above, below = (levels_of(side, place.view.ground, place.view.volatility) for side in (Side.SHORT, Side.LONG))
    if request.json:
        return iter([dump_line(levels_json(above, below, place.view))])
    return iter(bare(place.writer.levels(above, below)).splitlines())


async def tell_cascade(request: PlaceRequest, settings: Settings) -> Iterator[str]:
    """Lines to print. Raises UsageError, FailedError, RecordingError."""
    asked = MarketRequest(" ".join(request.words), request.recording, request.exchange, request.at_ms, book=True)
    found = await find_market(asked, settings)
    place, clusters = _view(found), found.reading.clusters
    books = {} if found.depth is None else {found.market: found.depth}
    cascade = cascade_of(place.view, clusters, books)
    if request.json:
        return iter([dump_line(cascade_json(cascade, place))])
    writer = CascadeText(place.view, _texts(), now_ms=found.now_ms)
    if not clusters:
        return iter([bare(writer.no_cluster())])
    return iter(bare(writer.no_book() if cascade is None else writer.told(cascade, room=TEXT_UNITS)).splitlines())


def _texts() -> Texts:
    return Catalogue.english()


def _unresolved(typed: str) -> Market:
    """A market by its name alone: which contract it means is told by where it is looked up."""
    return Market("", typed)


def _misread(error: ParseError, texts: Texts, command: str) -> UsageError:
    example = bare(texts(f"example.{command}", symbol="BTC"))
    return UsageError(f"{bare(fault_words(error, texts))} (character {error.position + 1}) {example}")


async def _find(
    request: PlaceRequest, market: Market, settings: Settings, texts: Texts, *, wide: bool = True
) -> _Place:
    asked = MarketRequest(market.symbol, request.recording, request.exchange, request.at_ms, wide=wide)
    found = await find_market(asked, settings)
    view = _view(found)
    return _Place(view, PlaceText(view, texts, now_ms=found.now_ms))


def _view(found: FoundMarket) -> GroundView:
    reading, instrument = found.reading, found.instrument
    shown = MarketView(
        market=found.market,
        base=instrument.base,
        tick_size=instrument.tick_size,
        price=reading.map.price,
        price_ms=reading.map.time_ms,
        map=reading.map,
        clusters=(),
        simulated=found.market.exchange == SIMULATED,
        proven=reading.proven,
        parts=reading.parts,
        known_share=reading.known_share,
    )
    return GroundView(
        view=shown,
        ground=found.ground,
        volatility=reading.volatility,
        tiers=found.tiers or (),
        tiers_from=found.tiers_from,
        fee_rate=FEE_IN_REQUIREMENT.get(found.tiers_from.exchange, 0.0),
    )
