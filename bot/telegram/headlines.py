"""The first line of an alert, kind by kind: what happened, where and how big, for a lock screen that shows no more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.alerts.exposure import CROWD
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

    def line(self, family: str, **values: str) -> Html:
        """One of the family's sentences: that of the cluster's side, with its size in USD or in other words."""
        family, values = f"headline.{family}.{self.cluster.side}", {"base": self.contract.base, **values}
        if self.event.names_usd and not self.texts.in_shares:
            return self.texts(f"{family}.usd", usd=self.texts.figures.money(self.cluster.usd), **values)
        return self.texts(f"{family}.other", size=size_words(self.cluster, self.texts, names_usd=False), **values)

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
    event, cluster = about.event, about.cluster
    if cluster.low <= event.price <= cluster.high:
        return about.line("inside", band=about.band)
    below = event.price < cluster.low
    if below is (cluster.side is Side.LONG):
        return about.line("through", band=about.band)
    edge = about.level(cluster.low if below else cluster.high)
    return about.line("near", percent=about.texts.figures.percent(event.value_pct), level=edge)


def _growth(about: _About) -> Html:
    figures, event = about.texts.figures, about.event
    percent, window = figures.percent(event.value_pct), figures.duration(event.window_ms)
    return about.line("grew", level=about.level(about.cluster.peak), percent=percent, window=window)


def _new(about: _About) -> Html:
    return about.line("new", level=about.level(about.cluster.peak))


def _swept(about: _About) -> Html:
    line, realised = about.line("swept", band=about.band), about.event.figure("realised_usd")
    return line if not realised else about.texts("alert.realised", line=line, usd=about.texts.figures.money(realised))


def _breakout(about: _About) -> Html:
    return about.line("broke", level=about.far, window=about.texts.figures.duration(about.event.window_ms))


def _stop_hunt(about: _About) -> Html:
    near = about.cluster.low if about.cluster.side is Side.SHORT else about.cluster.high
    after = about.texts.figures.duration(about.event.figure("after_ms") or 0.0)
    return about.line("hunted", level=about.level(near), after=after)


def _exposure(event: Event, contract: Contract, texts: Texts) -> Html:
    level = texts.figures.own_price(event.figure("level") or event.price)
    if event.track_id == CROWD:
        return texts.of("alert.own_crowded", event.side or Side.LONG, base=contract.base, level=level)
    if event.value_pct <= 0.0:
        return texts.of("alert.own_reached", event.side or Side.LONG, base=contract.base, level=level)
    percent = texts.figures.percent(event.value_pct)
    return texts.of("alert.own_near", event.side or Side.LONG, base=contract.base, percent=percent, level=level)


def _cascade(event: Event, contract: Contract, texts: Texts) -> Html:
    usd = texts.figures.money(event.figure("minute_usd") or 0.0)
    usual = texts.figures.money(event.figure("usual_usd") or 0.0)
    return texts.of("alert.cascade", event.side or Side.LONG, base=contract.base, usd=usd, usual=usual)


def _flip(event: Event, contract: Contract, texts: Texts) -> Html:
    percent = texts.figures.percent(event.value_pct)
    return texts.of("alert.flipped", event.side or Side.LONG, base=contract.base, percent=percent)


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
}
_OF_MARKETS: Mapping[Kind, Callable[[Event, Contract, Texts], Html]] = {
    Kind.EXPOSURE: _exposure,
    Kind.CASCADE: _cascade,
    Kind.FLIP: _flip,
    Kind.CONCENTRATION: _concentration,
    Kind.DIGEST: _digest,
    Kind.EXPIRY: _expiry,
}
