"""How a rule, a cluster and a market read in a sentence: the phrases that several texts share."""

from collections.abc import Sequence
from functools import lru_cache

from bot.alerts.filters import DEFAULT_MIN_STRENGTH, in_price_range, meets_floor
from bot.alerts.kinds import OF_CLUSTERS
from bot.alerts.types import EVERYWHERE, Kind, Phase, Repeat, Rule, Unit
from bot.liquidation.combining import COMBINED
from bot.liquidation.types import Cluster, MapLimit, Side
from bot.telegram.desk import ClusterView, MarketView, RuleView
from bot.telegram.scene import base_name
from bot.telegram.texts import Html, Texts
from bot.telegram.venues import combined_words, exchange_name, known_words


def rule_words(rule: Rule, texts: Texts) -> Html:
    """What a rule waits for, without its market: "price within 1% of a cluster, shorts only, $10M or more"."""
    figures = texts.figures
    words = texts.of(
        "waits",
        "odds" if rule.unit is Unit.ODDS else rule.kind,
        percent=distance_words(rule.threshold_pct, rule.unit, texts),
        window=figures.duration(rule.window_ms),
        level="" if rule.level is None else figures.own_price(rule.level),
    )
    parts = [words]
    if rule.side is not None and rule.kind is not Kind.EXPOSURE:  # it holds one price, which tells its side
        parts.append(texts.of("rule.only", rule.side))
    parts += _where_words(rule, texts)
    if rule.min_usd is not None:
        parts.append(texts("rule.floor_usd", usd=figures.money(rule.min_usd)))
    if strength := _least_strength(rule):
        parts.append(texts("rule.floor_strength", strength=str(strength)))
    return Html(texts("rule.join").join([*parts, *_course_words(rule, texts)]))


def _least_strength(rule: Rule) -> int | None:
    """The strength from which clusters count for a rule: its own, or the usual one where it names no floor."""
    if rule.min_strength is not None or rule.min_usd is not None or rule.kind not in OF_CLUSTERS:
        return rule.min_strength
    return DEFAULT_MIN_STRENGTH


def rule_brief(rule: Rule, texts: Texts) -> Html:
    """A rule in as few words as a list has room for: "1%, shorts, $10M+"."""
    parts = [
        threshold_words(
            rule.kind,
            texts,
            unit=rule.unit,
            threshold_pct=rule.threshold_pct,
            window_ms=rule.window_ms,
            level=rule.level,
        )
    ]
    if rule.side is not None:
        parts.append(texts.of("side_brief", rule.side))
    if rule.min_usd is not None:
        parts.append(texts("rule.brief_usd", usd=texts.figures.money(rule.min_usd)))
    if rule.min_strength is not None:
        parts.append(texts("rule.brief_strength", strength=str(rule.min_strength)))
    parts += [*_where_words(rule, texts), *_course_words(rule, texts)]
    if rule.label is not None:
        parts.insert(0, texts("rule.label", label=rule.label))
    return Html(texts("rule.join").join(parts))


def rule_name(rule: Rule, texts: Texts, *, market: Html | None = None) -> Html:
    """A rule with its market, in few words: "BTC within 1%", "BTC on OKX within 1%"; one of all markets needs none.

    `market` is what the market is called where that is more than its short name.
    """
    brief = rule_brief(rule, texts)
    if rule.market == EVERYWHERE:
        return brief
    return texts("rule.named", base=base_name(rule.market) if market is None else market, rule=brief)


@lru_cache(maxsize=1_024)
def threshold_words(
    kind: Kind, texts: Texts, *, unit: Unit, threshold_pct: float, window_ms: int, level: float | None
) -> Html:
    """What a kind of rule asks for, in as few words as say it: "within 1%", "grows 10% in 4 hr"."""
    figures = texts.figures
    return texts.of(
        "brief",
        "odds" if unit is Unit.ODDS else kind,
        percent=distance_words(threshold_pct, unit, texts),
        window=figures.duration(window_ms),
        level="" if level is None else figures.own_price(level),
    )


def distance_words(threshold: float, unit: Unit, texts: Texts) -> Html:
    """How near, in percent or in average true ranges: "1%", "1.5 ATR"."""
    if unit is Unit.ATR:
        return texts("rule.atr", count=texts.figures.plain(threshold))
    return Html(texts.figures.exact_percent(threshold))


def _where_words(rule: Rule, texts: Texts) -> list[Html]:
    """The filters beside side and size."""
    where, figures, parts = rule.where, texts.figures, []
    if where.price_low is not None and where.price_high is not None:
        low, high = figures.own_price(where.price_low), figures.own_price(where.price_high)
        parts.append(texts("rule.between", low=low, high=high))
    elif where.price_low is not None:
        parts.append(texts("rule.from", low=figures.own_price(where.price_low)))
    elif where.price_high is not None:
        parts.append(texts("rule.up_to", high=figures.own_price(where.price_high)))
    if where.near_pct is not None:
        parts.append(texts("rule.beyond", percent=figures.exact_percent(where.near_pct)))
    if where.far_pct is not None:
        parts.append(texts("rule.not_beyond", percent=figures.exact_percent(where.far_pct)))
    if where.confluence:
        parts.append(texts("rule.confluence"))
    if where.odds_pct is not None:
        odds, window = figures.exact_percent(where.odds_pct), figures.duration(where.odds_ms)
        parts.append(texts("rule.floor_odds", percent=odds, window=window))
    return parts


def _course_words(rule: Rule, texts: Texts) -> list[Html]:
    """How often it tells, and until when."""
    parts = []
    if rule.repeat is Repeat.ONCE:
        parts.append(texts("rule.once"))
    elif rule.repeat is Repeat.EVERY:
        parts.append(texts("rule.every", window=texts.figures.duration(rule.repeat_ms)))
    if rule.expires_ms:
        parts.append(texts("rule.until", time=texts.figures.clock(rule.expires_ms, now_ms=0)))
    return parts


def state_words(view: RuleView, texts: Texts, *, now_ms: int) -> Html:
    """How a rule stands: paused, snoozed, cooling, fired or armed."""
    rule, figures = view.rule, texts.figures
    if rule.paused_reason:
        return texts("standing.paused", reason=texts.of("paused", rule.paused_reason))
    if rule.snoozed_until_ms > now_ms:
        return texts("standing.snoozed", time=figures.clock(rule.snoozed_until_ms, now_ms=now_ms))
    if view.phase in (Phase.FIRED, Phase.RECOVERING) and not view.told:
        return texts("standing.true_already")
    if view.cooling_until_ms > now_ms:
        return texts("standing.cooling", left=figures.duration(view.cooling_until_ms - now_ms))
    if rule.kind is Kind.DIGEST:
        return texts("standing.ordered", time=figures.clock(view.due_ms, now_ms=now_ms))
    if view.phase is None:
        return texts("state.waiting")
    return texts.of("state", view.phase)


def size_words(cluster: Cluster, texts: Texts, *, names_usd: bool) -> Html:
    """How big a cluster is, in as few words as a lock screen has room for: USD only where the map is worth it."""
    if texts.in_shares:
        percent = texts.figures.percent(100 * cluster.share)
        return texts.of("size.share", cluster.side, percent=percent)
    if names_usd:
        return texts("size.usd", usd=texts.figures.money(cluster.usd))
    return texts("size.strength", strength=str(cluster.strength))


def cluster_phrase(view: ClusterView, market: MarketView, texts: Texts) -> Html:
    """One cluster in a sentence: "short cluster at 97,400-97,900, 0.8% above price, ≈$42M"."""
    cluster, figures = view.cluster, texts.figures
    return texts.of(
        "cluster.phrase",
        cluster.side,
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


def nearest_for(rule: Rule, market: MarketView) -> ClusterView | None:
    """The nearest cluster that a rule could tell of."""
    fitting = [
        view
        for view in market.clusters
        if meets_floor(rule, view.cluster)
        and in_price_range(rule.where, view.cluster)
        and (view.cluster.confluence or not rule.where.confluence)
    ]
    return min(fitting, key=lambda view: abs(view.distance_pct), default=None)


def day_odds(view: ClusterView) -> float | None:
    """The probability of a touch within 24 hours, None where it was not estimated."""
    return dict(view.touch).get(24)


def map_words(market: MarketView, texts: Texts, *, now_ms: int) -> Html:
    """Where the figures come from, how old they are, and what the map lacks."""
    if market.parts:
        return combined_words(market, texts, now_ms=now_ms)
    exchange, share = market.market.exchange, market.known_share
    words = estimate_words(exchange, market.map.limits, now_ms - market.map.time_ms, texts)
    return texts.sentences([words, known_words(exchange, share, texts)]) if share else words


def origin_words(market: MarketView, texts: Texts, *, now_ms: int) -> Html:
    """The same, and whether the map is proven here: under texts that do not say so beside a strength."""
    words = map_words(market, texts, now_ms=now_ms)
    return words if market.proven else texts.sentences([words, texts("proof.missing")])


def estimate_words(exchange: str, limits: Sequence[MapLimit], age_ms: int, texts: Texts) -> Html:
    """The line under every estimate: "Estimate from Binance data, 40 sec old.", and what the map did without."""
    return _estimate_words(exchange, tuple(limits), texts.figures.duration(max(0, age_ms)), texts)


@lru_cache(maxsize=256)
def _estimate_words(exchange: str, limits: tuple[MapLimit, ...], age: str, texts: Texts) -> Html:
    if exchange == COMBINED:
        source = texts("venues.estimate_of_all", age=age)
    else:
        source = texts("estimate.from", exchange=exchange_name(exchange, texts), age=age)
    parts = [source, *(texts.of("limit", limit) for limit in limits)]
    return texts.sentences(parts)
