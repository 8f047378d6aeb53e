"""What a picture is asked to show. Words, and how numbers are written, come from the caller's catalogue."""

from dataclasses import dataclass

from bot.charts.numbers import Numerals
from bot.liquidation.turnover import LiquidationPrints
from bot.liquidation.types import Cluster, Floats, History, Ints, LiquidationMap, Side


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
    labelled. `level` is a price of the reader's own, drawn as a dashed line. `banner` is a warning that must not be
    missed (a simulated market); empty for none. `proven` tells whether such maps were shown to know more than distance
    alone: others are drawn in shares, without USD. `layers` add up to the map and are drawn on one another, from the
    lowest leverage up, the last one those of none; without them bars are coloured by their cluster.
    """

    map: LiquidationMap
    clusters: tuple[Cluster, ...]
    title: str
    subtitle: str
    words: MapWords
    tick_size: float
    numerals: Numerals
    proven: bool
    price: float | None = None
    highlight: Cluster | None = None
    level: float | None = None
    banner: str = ""
    layers: tuple[Layer, ...] = ()

    @property
    def names_usd(self) -> bool:
        """Whether sizes are written in USD: open interest is measured, and the map is proven."""
        return self.proven and self.map.open_interest == "measured"


@dataclass(frozen=True, slots=True)
class HeatWords:
    """The words of a heatmap: the names of the two sides, what circles are, what is said where nothing is to show."""

    longs: str
    shorts: str
    liquidated: str
    empty: str


@dataclass(frozen=True, slots=True)
class HeatPicture:
    """How a liquidation map came to be: one map after another, with the price's candles over them.

    `maps` are in order of time, at about equal distances; a candle covers the bars from its map to the next. `clusters`
    are those of the newest map. `prints` are liquidations of that time; `utc_offset_ms` puts the time axis into a
    reader's zone. `proven` is as in MapPicture.
    """

    maps: tuple[LiquidationMap, ...]
    bars: History
    clusters: tuple[Cluster, ...]
    title: str
    subtitle: str
    words: HeatWords
    tick_size: float
    numerals: Numerals
    price: float
    proven: bool = True
    prints: LiquidationPrints | None = None
    utc_offset_ms: int = 0
    highlight: Cluster | None = None
    banner: str = ""

    @property
    def names_usd(self) -> bool:
        """Whether sizes are written in USD: open interest is measured, and the maps are proven."""
        return self.proven and bool(self.maps) and self.maps[-1].open_interest == "measured"


@dataclass(frozen=True, slots=True)
class Ribbon:
    """One cluster through time: its body at each of the ascending times (k,), and what is said of it.

    `ended_ms` is None while it stands. `size` is its greatest size as it is to be written, `fate` how it ended.
    """

    side: Side
    times_ms: Ints
    low: Floats
    high: Floats
    usd: Floats
    size: str
    fate: str
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class LivesPicture:
    """How clusters grew and ended, the first of the `ribbons` the largest, with the price's candles between them.

    `longs`, `shorts` and `empty` are words: the names of the sides, and what is said where there is no cluster.
    """

    ribbons: tuple[Ribbon, ...]
    bars: History
    title: str
    subtitle: str
    longs: str
    shorts: str
    empty: str
    tick_size: float
    numerals: Numerals
    price: float
    utc_offset_ms: int = 0
    banner: str = ""


@dataclass(frozen=True, slots=True)
class ReceiptPicture:
    """What came of an alert at `alert_ms` and `alert_price`, told of a zone from `low` to `high`, until `end_ms`.

    `reach` is the price that came nearest to the zone or farthest into it, at `reach_ms`. `alert`, `zone` and
    `reached` are the words beside the moment, the zone and that price.
    """

    side: Side
    low: float
    high: float
    alert_ms: int
    alert_price: float
    end_ms: int
    reach: float
    reach_ms: int
    bars: History
    title: str
    subtitle: str
    alert: str
    zone: str
    reached: str
    tick_size: float
    numerals: Numerals
    utc_offset_ms: int = 0
    banner: str = ""


@dataclass(frozen=True, slots=True)
class CascadeWords:
    """The words of a cascade's picture: what stands, what part of it is forced, the orders, how far chains run."""

    stands: str
    forced: str
    orders: str
    chain: str


@dataclass(frozen=True, slots=True)
class ChainArrow:
    """A chain from `start` on: `likely` and `most` are prices where it ends, the map's end where nothing holds it.

    `load` is what is written beside its cluster, which lies from `low` to `high`. A `told` arrow's ends are written.
    """

    side: Side
    low: float
    high: float
    load: str
    start: float
    likely: float
    most: float
    told: bool


@dataclass(frozen=True, slots=True)
class CascadePicture:
    """What stands at each price against the orders that rest there, and the chains that clusters would set off.

    `orders_usd` (n,) are those in each bin of the map, known from `known_low` to `known_high` and taken to go on
    beyond. `forced_share` of what stands is drawn apart. `arrows` are in the order in which they give way.
    """

    map: LiquidationMap
    orders_usd: Floats
    known_low: float
    known_high: float
    forced_share: float
    arrows: tuple[ChainArrow, ...]
    title: str
    subtitle: str
    words: CascadeWords
    tick_size: float
    numerals: Numerals
    price: float
    banner: str = ""
