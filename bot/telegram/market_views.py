"""What a conversation is shown of markets, and of the rules that watch them."""

from dataclasses import dataclass

from bot.alerts.lives import Life, LifeCount
from bot.alerts.sequels import SweepCount
from bot.alerts.types import Market, Phase, Rule
from bot.liquidation.combining import VenuePart
from bot.liquidation.types import Cluster, History, LiquidationMap
from bot.telegram.texts import Texts


@dataclass(frozen=True, slots=True)
class ClusterView:
    """A cluster as shown: `distance_pct` is signed (negative below price), `touch` holds (hours, probability) pairs."""

    cluster: Cluster
    track_id: str
    distance_pct: float
    touch: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class MarketView:
    """The newest knowledge of one market. `clusters` are strongest first; `price_ms` is when the price was seen.

    `simulated` is True where the market is not a real one, and every text and picture of it says so.
    `daily_move_pct` is a typical day's move (standard deviation of daily log returns, in percent), None where unknown.
    `proven` tells whether such maps were shown to know more than distance alone. `parts` are the exchanges that a
    combined map adds up or left out; `choices` the same coin's markets, all together first, where several list it.
    Of `known_share` of the open interest the liquidation prices are known exactly.
    """

    market: Market
    base: str
    tick_size: float
    price: float
    price_ms: int
    map: LiquidationMap
    clusters: tuple[ClusterView, ...]
    simulated: bool = False
    daily_move_pct: float | None = None
    proven: bool = False
    parts: tuple[VenuePart, ...] = ()
    choices: tuple[Market, ...] = ()
    known_share: float = 0.0

    @property
    def joined(self) -> tuple[Market, ...]:
        """The markets whose positions are in the map, each of one exchange."""
        if not self.parts:
            return (self.market,)
        return tuple(Market(part.venue, part.symbol) for part in self.parts if part.left_out is None)

    @property
    def names_usd(self) -> bool:
        """Whether texts and pictures may name sizes in USD: open interest is measured, and the map is proven."""
        return self.proven and self.map.open_interest == "measured"


@dataclass(frozen=True, slots=True)
class LivesView:
    """The clusters of a market from `from_ms` to `end_ms`, looked at every `step_ms`: how many, and the `biggest`.

    `gone` are the biggest of those that were swept or faded, `sweeps` what price did after all that were swept. `bars`
    are the path that price took meanwhile.
    """

    market: MarketView
    from_ms: int
    end_ms: int
    step_ms: int
    count: LifeCount
    biggest: tuple[Life, ...]
    gone: tuple[Life, ...]
    sweeps: SweepCount
    bars: History


@dataclass(frozen=True, slots=True)
class Look:
    """How a chat wants its pictures: the words and figures in them, and their colours."""

    texts: Texts
    theme: str

    @property
    def name(self) -> str:
        """Names all by which pictures of the same thing differ."""
        return f"{self.texts.manner}:{self.theme}"


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule with its live state: the nearest matching cluster's distance in percent, None where there is none."""

    rule: Rule
    phase: Phase | None
    distance_pct: float | None
    cooling_until_ms: int = 0
    due_ms: int = 0
    """When a digest comes next; 0 for every other rule."""
    told: bool = True
    """Whether it has told anybody of what it waits out: what was true when the rule was made is no news."""


@dataclass(frozen=True, slots=True)
class AddedRule:
    """A rule just stored. `already` tells the cluster that satisfies it now (said in the confirmation, no alert).

    `hears` tells whether liquidations of its exchange are listened to, without which a cascade is never seen. `first`
    is True of the first rule that the chat ever had, `blind` where its market has no map yet: it is judged from the
    first one on.
    """

    rule: Rule
    already: ClusterView | None
    existed: bool = False
    hears: bool = True
    first: bool = False
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a typed symbol means: a market, or up to three nearest names where it means none.

    `combined` is the same coin on all exchanges, where several list it and the text names none of them. It is `market`
    too where the text asks for all of them.
    """

    market: Market | None
    nearest: tuple[str, ...] = ()
    combined: Market | None = None

    @property
    def shown(self) -> Market | None:
        """The market whose map is meant."""
        return self.combined or self.market


class MarketUnavailableError(Exception):
    """There is no map for this market now; `reason` is a key of the catalogue's `unavailable` table."""

    def __init__(self, market: Market, reason: str) -> None:
        super().__init__(f"{market.exchange} {market.symbol}: {reason}")
        self.market = market
        self.reason = reason


class TooManyRulesError(Exception):
    """The chat has as many rules as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the limit is {limit} rules")
        self.limit = limit
