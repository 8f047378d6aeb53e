"""/watch: one line or three taps to a rule, and a confirmation that says what it will do and what is so already."""

import math

from bot.alerts.digest import next_ms
from bot.alerts.filters import meets_floor
from bot.alerts.kinds import AT_TICKS, OF_CLUSTERS
from bot.alerts.types import Kind, Market, Rule, Unit
from bot.delivery.messenger import Keyboard, Message
from bot.liquidation.totals import standing_near
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, alert_message, sample_event
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands import maps, own_level
from bot.telegram.commands.rules import gone
from bot.telegram.desk import AddedRule, MarketUnavailableError, MarketView
from bot.telegram.scene import Answer, Scene, base_name, side_by_side
from bot.telegram.sensitivity import Sensitivity, sensitivity
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.zones import day_of
from bot.telegram.venues import exchange_name, market_name
from bot.telegram.wording import cluster_phrase, nearest, nearest_for, origin_words, rule_words


async def sensitivity_menu(scene: Scene, market: Market, *, fresh: bool = False) -> Answer:
    """How near? Three distances fitted to the market, and where its nearest cluster is now."""
    texts = scene.texts
    view = await look(scene, market)
    steps = sensitivity(view.daily_move_pct if view else None)
    named = {"calm": steps.calm_pct, "normal": steps.normal_pct, "fast": steps.fast_pct}
    shares = {name: texts.figures.exact_percent(percent) for name, percent in named.items()}
    near = nearest(view) if view else None
    lines = [
        texts("watch.title", base=market_name(scene, market, base_name(market)))
        if view is None
        else texts(
            "watch.title_price",
            base=market_name(scene, market, view.base),
            price=texts.figures.price(view.price, view.tick_size),
        ),
        texts("watch.sensitivity", calm=shares["calm"], normal=shares["normal"], fast=shares["fast"]),
    ]
    if view is not None and near is not None:
        lines.append(texts("watch.nearest", cluster=cluster_phrase(near, view, texts)))
    if view is not None and view.simulated:
        lines.append(texts("alert.note_simulated"))
    other = key(texts.label("button.other_kinds"), "wk", market_arg(market))
    return Answer(Message(Html("\n\n".join(lines)), (*distance_keys(scene, market, steps), (other,))), fresh=fresh)


def distance_keys(scene: Scene, market: Market, steps: Sensitivity) -> Keyboard:
    """Calm, Normal, Fast: each makes the rule."""
    return side_by_side(
        [key(label, "wp", market_arg(market), f"{percent:g}") for label, percent in _labels(scene, steps)]
    )


def _labels(scene: Scene, steps: Sensitivity) -> list[tuple[str, float]]:
    texts, exact = scene.texts, scene.texts.figures.exact_percent
    return [
        (texts.label("button.calm", percent=exact(steps.calm_pct)), steps.calm_pct),
        (texts.label("button.normal", percent=exact(steps.normal_pct)), steps.normal_pct),
        (texts.label("button.fast", percent=exact(steps.fast_pct)), steps.fast_pct),
    ]


async def tapped_percent(scene: Scene, market: Market, typed: str) -> Answer:
    """A distance was chosen: make the rule."""
    percent = read_percent(typed)
    if percent is None:
        return await sensitivity_menu(scene, market)
    return await add(scene, new_rule(scene, market, percent))


async def change_percent(scene: Scene, rule_id: int, typed: str) -> Answer:
    """Another distance for a rule just made, under its own number and under the same message."""
    percent = read_percent(typed)
    rules = [view.rule for view in await scene.desk.rules(scene.chat) if view.rule.id == rule_id]
    if percent is None or not rules:
        return gone(scene)
    if percent == rules[0].threshold_pct:
        return Answer(toast=scene.texts.label("toast.watching", base=base_name(rules[0].market)))
    edited = await scene.desk.edit_rule(replace(rules[0], threshold_pct=percent))
    return gone(scene) if edited is None else await told_of(scene, edited)


def new_rule(scene: Scene, market: Market, percent: float) -> Rule:
    """A proximity rule of this chat."""
    return Rule(0, scene.chat, market, Kind.PROXIMITY, percent, created_ms=scene.now_ms)


def read_percent(typed: str) -> float | None:
    """The percentage that one of our own buttons carries; None for anything else."""
    try:
        percent = float(typed)
    except ValueError:
        return None
    return percent if 0 < percent <= 100 else None


def read_level(typed: str) -> float | None:
    """The price that one of our own buttons carries; None for anything else."""
    try:
        level = float(typed)
    except ValueError:
        return None
    return level if 0 < level < math.inf else None


async def add(scene: Scene, rule: Rule) -> Answer:
    """Store a rule and say in plain words what it does. Raises TooManyRulesError."""
    if (refused := await own_level.refusal(scene, rule)) is not None:
        return refused
    added = await scene.desk.add_rule(rule)
    if rule.kind is Kind.DIGEST:
        return digest_answer(scene, added)
    answer = await told_of(scene, added)
    return replace(answer, then=await first_sample(scene, added))


async def told_of(scene: Scene, added: AddedRule) -> Answer:
    """What the rule does, with its distances as buttons."""
    view = None if added.blind else await look(scene, added.rule.market)
    toast = scene.texts.label(
        "toast.watching", base=market_name(scene, added.rule.market, base_name(added.rule.market))
    )
    return Answer(Message(confirmation(scene, added, view), confirmation_keys(scene, added.rule, view)), toast=toast)


async def first_sample(scene: Scene, added: AddedRule) -> tuple[Message, ...]:
    """After a chat's first rule of all, what its alerts will look like; nothing where that cannot be shown now."""
    if not added.first or added.blind or added.rule.kind is not Kind.PROXIMITY:
        return ()
    try:
        answer = await sample(scene, added.rule.market)
    except MarketUnavailableError:
        return ()
    return () if answer.message is None else (replace(answer.message, silent=True),)


def confirmation(scene: Scene, added: AddedRule, view: MarketView | None) -> Html:
    """The rule in plain words, what is true already or the nearest cluster now, and where the figures come from."""
    texts, rule = scene.texts, added.rule
    base = market_name(scene, rule.market, base_name(rule.market) if view is None else view.base)
    lines = [texts("watch.existed" if added.existed else "watch.added", base=base, rule=_labelled(rule, texts))]
    if view is None:
        lines.append(texts("watch.blind"))
        return Html("\n".join(lines))
    lines.append(_now_words(added, view, texts) if rule.kind in OF_CLUSTERS else _market_words(added, view, texts))
    if view.simulated:
        lines.append(texts("alert.note_simulated"))
    lines.append(texts("alert.small", text=origin_words(view, texts, now_ms=scene.now_ms)))
    return Html("\n".join(lines))


def _labelled(rule: Rule, texts: Texts) -> Html:
    """The rule in plain words, behind the label that somebody gave it."""
    words = rule_words(rule, texts)
    if rule.label is None:
        return words
    return Html(texts("rule.join").join([texts("rule.label", label=rule.label), words]))


def _now_words(added: AddedRule, view: MarketView, texts: Texts) -> Html:
    """The cluster that satisfies the rule already, else the nearest that it could tell of."""
    rule = added.rule
    if added.already is not None:
        phrase = cluster_phrase(added.already, view, texts)
        return texts("watch.already" if rule.kind is Kind.PROXIMITY else "watch.already_so", cluster=phrase)
    near = nearest_for(rule, view)
    if near is not None:
        return texts("watch.nearest", cluster=cluster_phrase(near, view, texts))
    return texts("watch.no_cluster" if rule.kind in AT_TICKS else "watch.no_cluster_yet")


def _market_words(added: AddedRule, view: MarketView, texts: Texts) -> Html:
    """How the market stands for a rule that watches it as a whole, or a price of one's own."""
    if added.rule.kind is Kind.EXPOSURE:
        return own_level.standing_words(added.rule, view, texts)
    if added.rule.kind is Kind.CASCADE:
        exchange = exchange_name(added.rule.market.exchange, texts)
        return texts("watch.heard" if added.hears else "watch.unheard", exchange=exchange)
    if added.rule.kind is Kind.CONCENTRATION:
        return texts("watch.band")
    short_usd, long_usd = standing_near(view.map)
    heavier = Side.SHORT if short_usd > long_usd else Side.LONG
    share = 100.0 * max(short_usd, long_usd) / max(short_usd + long_usd, 1.0)
    return texts.of("watch.heavier", heavier, percent=texts.figures.percent(share))


def digest_answer(scene: Scene, added: AddedRule) -> Answer:
    """A digest was ordered: when it comes."""
    texts, rule = scene.texts, added.rule
    due = next_ms(rule, scene.now_ms, day_of(scene.preferences))
    time = texts.figures.clock(due, now_ms=scene.now_ms)
    text = texts("watch.digest_existed" if added.existed else "watch.digest", rule=rule_words(rule, texts), time=time)
    keys = (key(texts.label("button.rules"), "rn"), key(texts.label("button.delete"), "xe", rule.id))
    return Answer(Message(text, (keys,)))


def confirmation_keys(scene: Scene, rule: Rule, view: MarketView | None) -> Keyboard:
    """The three distances with the chosen one marked, then map, sample and delete."""
    texts = scene.texts
    steps = sensitivity(view.daily_move_pct if view else None)
    look_keys = (
        key(texts.label("button.change"), "p", rule.id),
        key(texts.label("button.map"), "m", market_arg(rule.market)),
        key(texts.label("button.delete"), "xe", rule.id),
    )
    if rule.kind is not Kind.PROXIMITY or rule.unit is not Unit.PERCENT:
        return (look_keys,)
    distances = [
        key(
            texts.label("button.chosen", label=label) if percent == rule.threshold_pct else label,
            "s",
            rule.id,
            f"{percent:g}",
        )
        for label, percent in _labels(scene, steps)
    ]
    return (*side_by_side(distances), (key(texts.label("button.sample"), "t", market_arg(rule.market)),), look_keys)


async def sample(scene: Scene, market: Market) -> Answer:
    """What an alert of this market looks like, with its picture. Raises MarketUnavailableError."""
    view = await scene.desk.view(market)
    strong = [each for each in view.clusters if meets_floor(new_rule(scene, market, 1.0), each.cluster)]
    near = min(strong, key=lambda each: abs(each.distance_pct), default=nearest(view))
    if near is None:
        return await maps.map_of(scene, market)
    drawn = await scene.desk.picture(view, look=scene.look)
    photo, name = drawn or (None, None)
    message = alert_message(
        sample_event(view, near, now_ms=scene.now_ms),
        Contract(view.base, view.tick_size, view.simulated),
        texts=scene.texts,
        sent_ms=scene.now_ms,
        sample=True,
        photo=photo,
        photo_name=name,
    )
    return Answer(message, fresh=True)


async def look(scene: Scene, market: Market) -> MarketView | None:
    """The market now, None where there is no map of it."""
    try:
        return await scene.desk.view(market)
    except MarketUnavailableError:
        return None
