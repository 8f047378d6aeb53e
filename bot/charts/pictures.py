"""What a picture is asked to show. Words come from the caller's catalogue; pictures only write numbers."""

from dataclasses import dataclass

from bot.liquidation.types import Cluster, Floats, History, LiquidationMap


@dataclass(frozen=True, slots=True)
class MapWords:
    """The words of a liquidation map, each a few characters to a few words long.

    `longs` and `shorts` name the two sides, `cumulative` the curves, `strength` the vertical axis, `price` the price
    line; `empty` is shown in place of the bars where there are none.
    """

    longs: str
    shorts: str
    cumulative: str
    strength: str
    price: str
    empty: str


@dataclass(frozen=True, slots=True)
class Layer:
    """One class of positions: its name, and its notional in each bin of the map, shapes (n,)."""

    name: str
    long_usd: Floats
    short_usd: Floats


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A liquidation map to draw.

    `price` is the price now where that is newer than the map. `highlight` is the cluster an alert tells of: always
    labelled. `banner` is a warning that must not be missed (a simulated market); empty for none. `proven` tells
    whether such maps were shown to know more than distance alone: others are drawn in shares, without USD. `layers`
    add up to the map and are drawn on one another, from the lowest leverage up, the last one those of none; without
    them bars are coloured by their cluster.
    """

    map: LiquidationMap
    clusters: tuple[Cluster, ...]
    title: str
    subtitle: str
    words: MapWords
    tick_size: float
    proven: bool
    price: float | None = None
    highlight: Cluster | None = None
    banner: str = ""
    layers: tuple[Layer, ...] = ()

    @property
    def names_usd(self) -> bool:
        """Whether sizes are written in USD: open interest is measured, and the map is proven."""
        return self.proven and self.map.open_interest == "measured"


@dataclass(frozen=True, slots=True)
class HeatWords:
    """The words of a heatmap: the names of the two sides, and what is said where there is nothing to show."""

    longs: str
    shorts: str
    empty: str


@dataclass(frozen=True, slots=True)
class HeatPicture:
    """How a liquidation map came to be: one map after another, with the price's candles over them.

    `maps` are in order of time, at about equal distances; a candle covers the bars from its map to the next. `clusters`
    are those of the newest map. `utc_offset_ms` puts the time axis into a reader's zone.
    """

    maps: tuple[LiquidationMap, ...]
    bars: History
    clusters: tuple[Cluster, ...]
    title: str
    subtitle: str
    words: HeatWords
    tick_size: float
    price: float
    utc_offset_ms: int = 0
    highlight: Cluster | None = None
    banner: str = ""
