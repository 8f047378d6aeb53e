"""/rules: every rule of the chat, nearest to firing first, each with its state and a button that opens its page."""

from collections.abc import Sequence

from bot.alerts.kinds import MEASURED_AT_TICKS
from bot.alerts.types import EVERYWHERE, Kind, Market, Rule, Unit
from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key
from bot.telegram.desk import MarketUnavailableError, MarketView, RuleView
from bot.telegram.scene import Answer, Scene, base_name, chips
from bot.telegram.texts import Html, Texts
from bot.telegram.texts.figures import HOUR_MS, MINUTE_MS
from bot.telegram.venues import market_name
from bot.telegram.wording import rule_brief, rule_name, state_words

PAGE = 8
LONGEST_SNOOZE_HOURS = 24 * 7


async def rules_answer(
    scene: Scene, page: int = 0, *, note: Html | None = None, undo: Button | None = None, fresh: bool = False
) -> Answer:
    """One page of the list; `note` says what was just done, `undo` takes it back."""
    views = sorted_rules(await scene.desk.rules(scene.chat), scene.now_ms)
    texts = scene.texts
    if not views:
        text = texts("rules.empty")
        buttons = chips(scene.desk.popular(), "w")
    else:
        pages = -(-len(views) // PAGE)
        page = min(page, pages - 1)
        shown = views[page * PAGE : (page + 1) * PAGE]
        text = await _list(scene, shown, len(views), page, pages)
        buttons = (*_rule_keys(shown, scene), *_page_keys(page, pages, texts))
    return Answer(
        Message(
            Html("\n\n".join([*([note] if note else []), text])),
            (*(((undo,),) if undo else ()), *buttons),
        ),
        fresh=fresh,
    )


async def delete_in_list(scene: Scene, rule_id: int, page: int) -> Answer:
    """Delete one rule and show the list again, with a way back."""
    rule = await scene.desk.remove_rule(scene.chat, rule_id)
    if rule is None:
        answer = await rules_answer(scene, page)
        return Answer(answer.message, toast=scene.texts.label("toast.gone"))
    note = scene.texts("rules.deleted", rule=named(scene, rule))
    undo = key(scene.texts.label("button.undo"), "ru", rule_id, page)
    answer = await rules_answer(scene, page, note=note, undo=undo)
    return Answer(answer.message, toast=scene.texts.label("toast.deleted"))


async def restore_in_list(scene: Scene, rule_id: int, page: int) -> Answer:
    """Take a deletion back and show the list again."""
    rule = await scene.desk.restore_rule(scene.chat, rule_id)
    answer = await rules_answer(scene, page)
    return Answer(answer.message, toast=scene.texts.label("toast.restored" if rule else "toast.gone"))


async def snooze_in_list(scene: Scene, rule_id: int, page: int, *, wake: bool = False) -> Answer:
    """Silence a rule for an hour, or wake it, and show the list again."""
    rule = await scene.desk.snooze_rule(scene.chat, rule_id, 0 if wake else scene.now_ms + HOUR_MS)
    answer = await rules_answer(scene, page)
    done = scene.texts.label("toast.awake" if wake else "toast.snoozed")
    return Answer(answer.message, toast=done if rule else scene.texts.label("toast.gone"))


async def snooze_from_alert(scene: Scene, rule_id: int, *, hours: int = 1) -> Answer:
    """Silence the rule of an alert for some hours, said under the alert with a way back."""
    until_ms = scene.now_ms + min(max(hours, 1), LONGEST_SNOOZE_HOURS) * HOUR_MS
    rule = await scene.desk.snooze_rule(scene.chat, rule_id, until_ms)
    if rule is None:
        return gone(scene)
    time = scene.texts.figures.clock(until_ms, now_ms=scene.now_ms)
    text = scene.texts("rules.snoozed", time=time, rule=named(scene, rule))
    buttons = ((key(scene.texts.label("button.wake"), "zw", rule_id), key(scene.texts.label("button.rules"), "rn")),)
    message = Message(text, buttons, silent=True, reply_to=scene.inbound.message_id)
    return Answer(message, toast=scene.texts.label("toast.snoozed_until", time=time), fresh=True)


async def wake(scene: Scene, rule_id: int) -> Answer:
    """End a snooze, in place of the message that told of it."""
    rule = await scene.desk.snooze_rule(scene.chat, rule_id, 0)
    if rule is None:
        return gone(scene)
    text = scene.texts("rules.awake", rule=named(scene, rule))
    buttons = ((key(scene.texts.label("button.rules"), "rn"),),)
    return Answer(Message(text, buttons, silent=True), toast=scene.texts.label("toast.awake"))


async def renew(scene: Scene, rule_id: int, minutes: int) -> Answer:
    """Let a rule run for so long from now, 0 for good, in place of the message that told of its end."""
    expires_ms = scene.now_ms + minutes * MINUTE_MS if minutes else 0
    rule = await scene.desk.renew_rule(scene.chat, rule_id, expires_ms)
    if rule is None:
        return gone(scene)
    texts = scene.texts
    text = texts("rules.renewed", rule=named(scene, rule))
    buttons = ((key(texts.label("button.rules"), "rn"),),)
    return Answer(Message(text, buttons, silent=True), toast=texts.label("toast.renewed"))


def named(scene: Scene, rule: Rule) -> Html:
    """A rule with its market, and with its exchange where the market alone means another."""
    return rule_name(rule, scene.texts, market=market_name(scene, rule.market, base_name(rule.market)))


def gone(scene: Scene) -> Answer:
    """The rule a button speaks of is no more, or was never this chat's."""
    message = Message(scene.texts("unwatch.gone"), ((key(scene.texts.label("button.rules"), "rn"),),))
    return Answer(message, toast=scene.texts.label("toast.gone"), fresh=True)


def sorted_rules(views: Sequence[RuleView], now_ms: int) -> list[RuleView]:
    """Grouped by market; markets and the rules within them by how near they are to firing, silent ones last."""

    def urgency(view: RuleView) -> tuple[bool, bool, bool, float, int]:
        rule = view.rule
        silent = bool(rule.paused_reason) or rule.snoozed_until_ms > now_ms
        away = view.distance_pct
        in_percent = rule.kind is Kind.PROXIMITY and rule.unit is Unit.PERCENT
        ratio = 0.0 if away is None else abs(away) / (rule.threshold_pct if in_percent else 1.0)
        return (silent, rule.kind is not Kind.PROXIMITY, away is None, ratio, rule.id)

    groups: dict[Market, list[RuleView]] = {}
    for view in sorted(views, key=urgency):
        groups.setdefault(view.rule.market, []).append(view)
    return [view for group in groups.values() for view in group]


async def _list(scene: Scene, shown: Sequence[RuleView], count: int, page: int, pages: int) -> Html:
    texts = scene.texts
    title = texts("rules.title", count=str(count), limit=str(scene.desk.rules_limit()))
    silence = await silence_line(scene)
    lines = [title if pages == 1 else texts("rules.title_page", title=title, page=str(page + 1), pages=str(pages))]
    lines += [silence] if silence else []
    simulated = False
    seen: MarketView | None = None
    market: Market | None = None
    for view in shown:
        if view.rule.market != market:
            market = view.rule.market
            seen = await look(scene, market)
            simulated = simulated or (seen is not None and seen.simulated)
            lines.extend([Html(""), _market_line(scene, market, seen)])
        lines.append(_rule_line(view if _has_data(view, seen) else blind(view), texts, scene.now_ms))
    if simulated:
        lines.extend([Html(""), texts("alert.note_simulated")])
    return Html("\n".join(lines))


def _has_data(view: RuleView, seen: MarketView | None) -> bool:
    return seen is not None or view.rule.market == EVERYWHERE


def blind(view: RuleView) -> RuleView:
    """A rule as it stands while there is no data of its market: it waits, whatever it last knew."""
    return replace(view, phase=None, distance_pct=None, cooling_until_ms=0)


async def look(scene: Scene, market: Market) -> MarketView | None:
    """The market now, None where there is no map of it."""
    try:
        return await scene.desk.view(market)
    except MarketUnavailableError:
        return None


def _market_line(scene: Scene, market: Market, seen: MarketView | None) -> Html:
    texts = scene.texts
    if market == EVERYWHERE:
        return texts("rules.everywhere")
    if seen is None:
        return texts("rules.market_blind", base=market_name(scene, market, base_name(market)))
    price = texts.figures.price(seen.price, seen.tick_size)
    return texts("rules.market", base=market_name(scene, market, seen.base), price=price)


async def silence_line(scene: Scene) -> Html | None:
    """Why nothing rings in this chat now, whatever its rules say; None where it does."""
    held, texts = await scene.desk.quiet(scene.chat), scene.texts
    for key_of_text, until_ms in (("why.muted", held.muted_until_ms), ("why.quiet", held.quiet_until_ms)):
        if until_ms > scene.now_ms:
            return texts(key_of_text, until=texts.figures.clock(until_ms, now_ms=scene.now_ms))
    return None


def standing_line(view: RuleView, texts: Texts, now_ms: int) -> Html:
    """How a rule stands: its distance now and its state."""
    state = state_words(view, texts, now_ms=now_ms)
    if view.distance_pct is None or view.rule.kind not in MEASURED_AT_TICKS:
        return texts("rules.standing", state=state)
    if view.distance_pct == 0:
        return texts("rules.standing_inside", state=state)
    return texts("rules.standing_distance", distance=texts.figures.percent(abs(view.distance_pct)), state=state)


def _rule_line(view: RuleView, texts: Texts, now_ms: int) -> Html:
    standing = standing_line(view, texts, now_ms)
    return texts("rules.line", number=str(view.rule.id), rule=rule_brief(view.rule, texts), standing=standing)


def _rule_keys(shown: Sequence[RuleView], scene: Scene) -> Keyboard:
    """Each rule as a button that opens its page."""
    label = scene.texts.label
    return tuple(
        (key(label("button.open_rule", number=str(view.rule.id), rule=named(scene, view.rule)), "p", view.rule.id),)
        for view in shown
    )


def _page_keys(page: int, pages: int, texts: Texts) -> Keyboard:
    turning = []
    if page > 0:
        turning.append(key(texts.label("button.earlier"), "r", page - 1))
    if page < pages - 1:
        turning.append(key(texts.label("button.later"), "r", page + 1))
    last = (key(texts.label("button.add"), "n"), key(texts.label("button.refresh"), "r", page))
    return ((*turning,), last) if turning else (last,)
