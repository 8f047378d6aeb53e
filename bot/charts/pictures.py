"""What a picture is asked to show. Words come from the caller's catalogue; pictures only write numbers."""

from dataclasses import dataclass

from bot.liquidation.types import Cluster, LiquidationMap


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
class MapPicture:
    """A liquidation map to draw.

    `price` is the price now where that is newer than the map. `highlight` is the cluster an alert tells of: always
    labelled. `banner` is a warning that must not be missed (a simulated market); empty for none.
    """

    map: LiquidationMap
    clusters: tuple[Cluster, ...]
    title: str
    subtitle: str
    words: MapWords
    tick_size: float
    price: float | None = None
    highlight: Cluster | None = None
    banner: str = ""
