"""The page of one rule: how it stands, each of its parameters as a button, and what can be done with it."""

from bot.alerts.kinds import OF_CLUSTERS
from bot.alerts.types import EVERYWHERE, Rule
from bot.delivery.messenger import Button, Keyboard, Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.parameters import is_current, parameters
from bot.telegram.commands.rules import blind, gone, look, silence_line, standing_line
from bot.telegram.deep_links import WATCH, market_payload, share_link
from bot.telegram.desk import MarketView, RuleView
from bot.telegram.scene import Answer, Scene, base_name, rows
from bot.telegram.texts import Html
from bot.telegram.texts.figures import DAY_MS, HOUR_MS
from bot.telegram.venues import exchange_name, market_name, venue_keys
from bot.telegram.wording import cluster_phrase, nearest_for, rule_words

KEYS_A_ROW = 2
CHOICES_A_ROW = 3
MORNING_HOURS = 8
EXCHANGE = "exchange"


async def page(scene: Scene, rule_id: int, *, note: Html | None = None, fresh: bool = False, toast: str = "") -> Answer:
    """The page of a rule; `note` says what was just done."""
    view = await find(scene, rule_id)
    if view is None:
        return gone(scene)
    rule, texts = view.rule, scene.texts
    market = await look(scene, rule.market)
    lines = [*([note, Html("")] if note else []), _title(scene, rule, market)]
    if rule.label is not None:
        lines.append(texts("rule.label", label=rule.label))
    lines += [
        texts("why.rule", rule=rule_words(rule, texts)),
        standing_line(view if market or rule.market == EVERYWHERE else blind(view), texts, scene.now_ms),
    ]
    silence = await silence_line(scene)
    lines += [silence] if silence else []
    near = None if market is None or rule.kind not in OF_CLUSTERS else nearest_for(rule, market)
    if near is not None and market is not None:
        lines.append(texts("watch.nearest", cluster=cluster_phrase(near, market, texts)))
    if market is not None and market.simulated:
        lines.append(texts("alert.note_simulated"))
    lines += [Html(""), texts("rule_page.line", line=f"/edit {rule.id} {parameters(rule, market, texts)[0].custom}")]
    return Answer(Message(Html("\n".join(lines)), _keys(scene, rule, market)), toast=toast, fresh=fresh)


async def parameter_page(scene: Scene, rule_id: int, name: str) -> Answer:
    """The values of one parameter, the current one marked, and how to send another."""
    view = await find(scene, rule_id)
    if view is None:
        return gone(scene)
    rule, texts = view.rule, scene.texts
    market = await look(scene, rule.market)
    if name == EXCHANGE and market is not None:
        return _exchanges(scene, rule, market)
    found = [each for each in parameters(rule, market, texts) if each.name == name]
    if not found:
        return await page(scene, rule_id)
    parameter = found[0]
    keys = [
        key(texts.label("button.chosen", label=choice.label), "p", rule_id)
        if is_current(rule, choice, now_ms=scene.now_ms)
        else key(choice.label, "pe", rule_id, choice.line)
        for choice in parameter.choices
    ]
    lines = [
        _title(scene, rule, market),
        texts(f"parameter_asks.{name}"),
        texts("rule_page.now", value=parameter.value),
    ]
    last = (
        key(texts.label("button.custom"), "pc", rule_id, name),
        key(texts.label("button.back"), "p", rule_id),
    )
    return Answer(Message(Html("\n".join(lines)), (*rows(keys, CHOICES_A_ROW), last)))


async def custom_page(scene: Scene, rule_id: int, name: str) -> Answer:
    """The one line that sets a value of one's own, to copy and change."""
    view = await find(scene, rule_id)
    if view is None:
        return gone(scene)
    market = await look(scene, view.rule.market)
    found = [each for each in parameters(view.rule, market, scene.texts) if each.name == name]
    if not found:
        return await page(scene, rule_id)
    line = f"/edit {rule_id} {found[0].custom}"
    text = scene.texts("rule_page.custom", asks=scene.texts(f"parameter_asks.{name}"), line=line)
    keys = (
        Button(scene.texts.label("button.copy", level=line), copy=line),
        key(scene.texts.label("button.back"), "pp", rule_id, name),
    )
    return Answer(Message(text, (keys,)))


async def find(scene: Scene, rule_id: int) -> RuleView | None:
    """A rule of this chat."""
    return next((view for view in await scene.desk.rules(scene.chat) if view.rule.id == rule_id), None)


def tomorrow_ms(now_ms: int, *, offset_ms: int = 0) -> int:
    """The next morning at eight on a clock that is `offset_ms` ahead of UTC, four hours from now at least."""
    morning_ms = (now_ms + offset_ms) // DAY_MS * DAY_MS + MORNING_HOURS * HOUR_MS - offset_ms
    while morning_ms < now_ms + 4 * HOUR_MS:
        morning_ms += DAY_MS
    return morning_ms


def _title(scene: Scene, rule: Rule, market: MarketView | None) -> Html:
    texts, number = scene.texts, str(rule.id)
    if rule.market == EVERYWHERE:
        return texts("rule_page.title_everywhere", number=number)
    base = market_name(scene, rule.market, base_name(rule.market) if market is None else market.base)
    if market is None:
        return texts("rule_page.title_blind", number=number, base=base)
    price = texts.figures.price(market.price, market.tick_size)
    return texts("rule_page.title", number=number, base=base, price=price)


def _keys(scene: Scene, rule: Rule, market: MarketView | None) -> Keyboard:
    texts = scene.texts
    changes = [
        key(texts.label(f"parameter.{each.name}", value=each.value), "pp", rule.id, each.name)
        for each in parameters(rule, market, texts)
    ]
    if market is not None and len(market.choices) > 1:
        name = exchange_name(rule.market.exchange, texts)
        changes.append(key(texts.label("parameter.exchange", value=name), "pp", rule.id, EXCHANGE))
    return (*rows(changes, KEYS_A_ROW), *_quiet_keys(scene, rule), *_last_keys(scene, rule))


def _quiet_keys(scene: Scene, rule: Rule) -> Keyboard:
    """Snooze, pause; or wake, where the rule says nothing now."""
    texts = scene.texts
    if rule.paused_reason or rule.snoozed_until_ms > scene.now_ms:
        return ((key(texts.label("button.wake"), "pz", rule.id, 0),),)
    return (
        (
            key(texts.label("button.snooze_hour"), "pz", rule.id, 1),
            key(texts.label("button.snooze_eight"), "pz", rule.id, 8),
        ),
        (
            key(texts.label("button.snooze_tomorrow"), "pz", rule.id, "t"),
            key(texts.label("button.pause"), "ph", rule.id),
        ),
    )


def _last_keys(scene: Scene, rule: Rule) -> Keyboard:
    texts = scene.texts
    back = key(texts.label("button.rules_back"), "r", 0)
    delete = key(texts.label("button.delete"), "rx", rule.id, 0)
    if rule.market == EVERYWHERE:
        return ((delete, back),)
    shown = key(texts.label("button.map"), "m", market_arg(rule.market))
    copied = key(texts.label("button.copy_rule"), "q", "pn", 0, rule.id)
    link = share_link(scene.desk.bot_name(), market_payload(WATCH, market_arg(rule.market)))
    if link is None:
        return ((shown, copied), (delete, back))
    return ((shown, Button(texts.label("button.share"), url=link)), (copied, delete), (back,))


def _exchanges(scene: Scene, rule: Rule, market: MarketView) -> Answer:
    texts = scene.texts
    text = Html("\n".join([_title(scene, rule, market), texts("parameter_asks.exchange")]))
    back = key(texts.label("button.back"), "p", rule.id)
    return Answer(Message(text, (*venue_keys(market, "pm", texts, str(rule.id)), (back,))))
