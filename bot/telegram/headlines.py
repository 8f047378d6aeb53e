"""The first line of an alert, kind by kind: what happened, where and how big, for a lock screen that shows no more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.alerts.types import Event, Kind
from bot.liquidation.types import Cluster, Side
from bot.telegram.texts import Html, Texts
from bot.telegram.wording import size_words


@dataclass(frozen=True, slots=True)
class Contract:
    """What a text needs to know of an event's market: its short name, its tick, and whether it is a real one."""

    base: str
    tick_size: float
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class _About:
    """An event that speaks of a cluster, with the words that most lines need."""

    event: Event
    cluster: Cluster
    contract: Contract
    texts: Texts

    @property
    def side(self) -> Html:
        return self.texts.of("side_name", self.cluster.side)

    @property
    def size(self) -> Html:
        return size_words(self.cluster, self.texts, names_usd=self.event.names_usd)

    @property
    def band(self) -> str:
        return self.texts.figures.band(self.cluster.low, self.cluster.high, self.contract.tick_size)

    def level(self, price: float) -> str:
        return self.texts.figures.level(price, self.contract.tick_size)

    @property
    def far(self) -> str:
        """The edge that price passes last."""
        return self.level(self.cluster.high if self.cluster.side is Side.SHORT else self.cluster.low)


def first_line(event: Event, contract: Contract, texts: Texts) -> Html:
    """What happened, in one line, without marks."""
    if event.cluster is not None and event.kind in _OF_CLUSTERS:
        return _OF_CLUSTERS[event.kind](_About(event, event.cluster, contract, texts))
    return _OF_MARKETS[event.kind](event, contract, texts)


def _proximity(about: _About) -> Html:
    event, cluster, texts, base = about.event, about.cluster, about.texts, about.contract.base
    if cluster.low <= event.price <= cluster.high:
        return texts("alert.inside", base=base, side=about.side, band=about.band, size=about.size)
    below = event.price < cluster.low
    if below is (cluster.side is Side.LONG):
        return texts("alert.through", base=base, side=about.side, band=about.band, size=about.size)
    return texts(
        "alert.below" if below else "alert.above",
        base=base,
        percent=texts.figures.percent(event.value_pct),
        side=about.side,
        level=about.level(cluster.low if below else cluster.high),
        size=about.size,
    )


def _growth(about: _About) -> Html:
    figures = about.texts.figures
    return about.texts(
        "alert.grew",
        base=about.contract.base,
        side=about.side,
        level=about.level(about.cluster.peak),
        percent=figures.percent(about.event.value_pct),
        window=figures.duration(about.event.window_ms),
        size=about.size,
    )


def _new(about: _About) -> Html:
    level = about.level(about.cluster.peak)
    return about.texts("alert.new", base=about.contract.base, side=about.side, level=level, size=about.size)


def _swept(about: _About) -> Html:
    texts, realised = about.texts, about.event.figure("realised_usd")
    line = texts("alert.swept", base=about.contract.base, side=about.side, band=about.band, size=about.size)
    return line if not realised else texts("alert.realised", line=line, usd=texts.figures.money(realised))


def _breakout(about: _About) -> Html:
    up = about.cluster.side is Side.SHORT
    return about.texts(
        "alert.broke_up" if up else "alert.broke_down",
        base=about.contract.base,
        level=about.far,
        side=about.side,
        window=about.texts.figures.duration(about.event.window_ms),
        size=about.size,
    )


def _stop_hunt(about: _About) -> Html:
    up = about.cluster.side is Side.SHORT
    near = about.cluster.low if up else about.cluster.high
    return about.texts(
        "alert.hunted_up" if up else "alert.hunted_down",
        base=about.contract.base,
        level=about.level(near),
        side=about.side,
        after=about.texts.figures.duration(about.event.figure("after_ms") or 0.0),
        size=about.size,
    )


def _exposure(about: _About) -> Html:
    level = about.event.figure("level") or about.cluster.peak
    own = about.texts.figures.price(level, about.contract.tick_size)
    return about.texts("alert.exposed", base=about.contract.base, side=about.side, level=own, size=about.size)


def _cascade(event: Event, contract: Contract, texts: Texts) -> Html:
    usd = texts.figures.money(event.figure("minute_usd") or 0.0)
    usual = texts.figures.money(event.figure("usual_usd") or 0.0)
    holders = texts.of("side_brief", event.side or "both")
    return texts("alert.cascade", base=contract.base, usd=usd, holders=holders, usual=usual)


def _flip(event: Event, contract: Contract, texts: Texts) -> Html:
    side = texts.of("side_name", event.side or "both")
    return texts("alert.flipped", base=contract.base, side=side, percent=texts.figures.percent(event.value_pct))


def _concentration(event: Event, contract: Contract, texts: Texts) -> Html:
    dense = (event.figure("deviation") or 0.0) < 0.0
    return texts("alert.concentrated" if dense else "alert.spread_out", base=contract.base)


def _digest(event: Event, _contract: Contract, texts: Texts) -> Html:
    return texts("alert.digest", window=texts.figures.duration(event.window_ms))


def _expiry(event: Event, contract: Contract, texts: Texts) -> Html:
    expires_ms = int(event.figure("expires_ms") or event.time_ms)
    time = texts.figures.clock(expires_ms, now_ms=event.time_ms)
    name = "alert.ended" if expires_ms <= event.time_ms else "alert.ending"
    base = contract.base or texts.label("rule.everywhere")
    return texts(name, rule=str(event.rule_id), base=base, time=time)


_OF_CLUSTERS: Mapping[Kind, Callable[[_About], Html]] = {
    Kind.PROXIMITY: _proximity,
    Kind.GROWTH: _growth,
    Kind.NEW_CLUSTER: _new,
    Kind.SWEPT: _swept,
    Kind.BREAKOUT: _breakout,
    Kind.STOP_HUNT: _stop_hunt,
    Kind.EXPOSURE: _exposure,
}
_OF_MARKETS: Mapping[Kind, Callable[[Event, Contract, Texts], Html]] = {
    Kind.CASCADE: _cascade,
    Kind.FLIP: _flip,
    Kind.CONCENTRATION: _concentration,
    Kind.DIGEST: _digest,
    Kind.EXPIRY: _expiry,
}
