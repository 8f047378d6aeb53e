"""How a rule, a cluster and a market read in a sentence: the phrases that several texts share."""

from collections.abc import Sequence

from bot.alerts.types import Kind, Rule
from bot.liquidation.types import Cluster, MapLimit, Side
from bot.telegram.desk import ClusterView, MarketView, RuleView
from bot.telegram.texts import Html, Texts, escape


def rule_words(rule: Rule, texts: Texts) -> Html:
    """What a rule waits for, without its market: "within 1% of short liquidations, at least $10M"."""
    figures = texts.figures
    percent = figures.exact_percent(rule.threshold_pct)
    floored = rule.min_usd is not None or rule.min_strength is not None
    side = texts.of("side_any" if floored else "side_strong", rule.side or "both")
    if rule.kind is Kind.PROXIMITY:
        words = texts("rule.proximity", percent=percent, side=side)
    else:
        words = texts("rule.growth", percent=percent, side=side, window=figures.duration(rule.window_ms))
    if rule.min_usd is not None:
        words = texts("rule.floor_usd", rule=words, usd=figures.money(rule.min_usd))
    if rule.min_strength is not None:
        words = texts("rule.floor_strength", rule=words, strength=str(rule.min_strength))
    return words


def rule_brief(rule: Rule, texts: Texts) -> Html:
    """A rule in as few words as a list has room for: "1%, shorts, $10M+"."""
    figures = texts.figures
    percent = figures.exact_percent(rule.threshold_pct)
    if rule.kind is Kind.PROXIMITY:
        words = texts("rule.brief_proximity", percent=percent)
    else:
        words = texts("rule.brief_growth", percent=percent, window=figures.duration(rule.window_ms))
    if rule.side is not None:
        words = texts("rule.brief_with", rule=words, what=texts.of("side_brief", rule.side))
    if rule.min_usd is not None:
        words = texts("rule.brief_with", rule=words, what=texts("rule.brief_usd", usd=figures.money(rule.min_usd)))
    if rule.min_strength is not None:
        strength = texts("rule.brief_strength", strength=str(rule.min_strength))
        words = texts("rule.brief_with", rule=words, what=strength)
    return words


def state_words(view: RuleView, texts: Texts, *, now_ms: int) -> Html:
    """How a rule stands: paused, snoozed, cooling, fired or armed."""
    rule, figures = view.rule, texts.figures
    if rule.paused_reason:
        return texts("standing.paused", reason=texts.of("paused", rule.paused_reason))
    if rule.snoozed_until_ms > now_ms:
        return texts("standing.snoozed", time=figures.clock(rule.snoozed_until_ms, now_ms=now_ms))
    if view.cooling_until_ms > now_ms:
        return texts("standing.cooling", left=figures.duration(view.cooling_until_ms - now_ms))
    if view.phase is None:
        return texts("state.waiting")
    return texts.of("state", view.phase)


def size_words(cluster: Cluster, texts: Texts, *, names_usd: bool) -> Html:
    """How big a cluster is, in as few words as a lock screen has room for: USD only where the map is worth it."""
    if names_usd:
        return texts("size.usd", usd=texts.figures.money(cluster.usd))
    return texts("size.strength", strength=str(cluster.strength))


def cluster_phrase(view: ClusterView, market: MarketView, texts: Texts) -> Html:
    """One cluster in a sentence: "short liquidations at 97,400-97,900, 0.8% above, ≈$42M"."""
    cluster, figures = view.cluster, texts.figures
    return texts(
        "cluster.phrase",
        side=texts.of("side_name", cluster.side),
        band=figures.band(cluster.low, cluster.high, market.tick_size),
        place=place_words(view, texts),
        size=size_words(cluster, texts, names_usd=market.names_usd),
    )


def place_words(view: ClusterView, texts: Texts) -> Html:
    """Where a cluster lies from price: "0.8% above", "1.6% below", "at price"."""
    percent = texts.figures.percent(abs(view.distance_pct))
    if view.distance_pct == 0:
        return texts("cluster.here")
    return texts("cluster.above" if view.distance_pct > 0 else "cluster.below", percent=percent)


def nearest(market: MarketView, side: Side | None = None) -> ClusterView | None:
    """The cluster nearest to price, of one side or of both."""
    of_side = [view for view in market.clusters if side in (None, view.cluster.side)]
    return min(of_side, key=lambda view: abs(view.distance_pct), default=None)


def day_odds(view: ClusterView) -> float | None:
    """The probability of a touch within 24 hours, None where it was not estimated."""
    return dict(view.touch).get(24)


def map_words(market: MarketView, texts: Texts, *, now_ms: int) -> Html:
    """Where the figures come from, how old they are, and what the map lacks."""
    return estimate_words(market.market.exchange, market.map.limits, now_ms - market.map.time_ms, texts)


def origin_words(market: MarketView, texts: Texts, *, now_ms: int) -> Html:
    """The same, and whether the map is proven here: under texts that do not say so beside a strength."""
    words = map_words(market, texts, now_ms=now_ms)
    return words if market.proven else Html(" ".join([words, texts("proof.missing")]))


def estimate_words(exchange: str, limits: Sequence[MapLimit], age_ms: int, texts: Texts) -> Html:
    """The line under every estimate: "Estimate from Binance data, 40 sec old.", and what the map did without."""
    name = exchange_name(exchange, texts)
    age = texts.figures.duration(max(0, age_ms))
    parts = [texts("estimate.from", exchange=name, age=age), *(texts.of("limit", limit) for limit in limits)]
    return Html(" ".join(parts))


def exchange_name(exchange: str, texts: Texts) -> Html:
    """An exchange as it spells itself."""
    return texts.of("exchange", exchange) if f"exchange.{exchange}" in texts.entries else escape(exchange)
