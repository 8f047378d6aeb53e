"""/unwatch: delete a rule by its number, a market's rules, or all; nothing goes without a way back or a question."""

from collections.abc import Sequence

from bot.alerts.types import Rule
from bot.delivery.messenger import Button, Message
from bot.telegram.callbacks import key, market_arg
from bot.telegram.commands.rules import gone, named
from bot.telegram.limits import CALLBACK_BYTES
from bot.telegram.scene import Answer, Scene, base_name, chips, unknown_symbol

ALL = "all"
NUMBER_DIGITS = 18


async def typed_unwatch(scene: Scene, text: str) -> Answer:
    """/unwatch with what was typed after it: a number, a symbol, `all`, or nothing."""
    wanted = text.strip().removeprefix("#")
    if not wanted:
        return await menu(scene)
    if wanted.lower() == ALL:
        return await _confirm_all(scene)
    if wanted.isascii() and wanted.isdigit() and len(wanted) <= NUMBER_DIGITS:
        if any(rule.id == int(wanted) for rule in await _rules(scene)):
            return await delete(scene, int(wanted))
        if scene.resolve(wanted).market is None:
            return Answer(_with_rules(scene, scene.texts("unwatch.no_rule", number=wanted)))
    return await _by_symbol(scene, wanted)


async def menu(scene: Scene) -> Answer:
    """Every rule as a button that deletes it."""
    rules = await _rules(scene)
    if not rules:
        return Answer(Message(scene.texts("rules.empty"), chips(scene.desk.popular(), "w")))
    return Answer(Message(scene.texts("unwatch.pick"), tuple((_rule_key(rule, scene),) for rule in rules)))


async def delete(scene: Scene, rule_id: int, *, fresh: bool = False) -> Answer:
    """Delete one rule and offer to take it back; `fresh` leaves the tapped message (an alert) as it is."""
    rule = await scene.desk.remove_rule(scene.chat, rule_id)
    if rule is None:
        return gone(scene)
    text = scene.texts("rules.deleted", rule=named(scene, rule))
    buttons = ((key(scene.texts.label("button.undo"), "u", rule_id), key(scene.texts.label("button.rules"), "rn")),)
    reply_to = scene.inbound.message_id if fresh else None
    return Answer(
        Message(text, buttons, silent=True, reply_to=reply_to), toast=scene.texts.label("toast.deleted"), fresh=fresh
    )


async def restore(scene: Scene, ids: Sequence[int]) -> Answer:
    """Take one deletion or several back."""
    restored = [rule for rule_id in ids if (rule := await scene.desk.restore_rule(scene.chat, rule_id)) is not None]
    if not restored:
        return gone(scene)
    return Answer(
        _with_rules(scene, scene.texts("unwatch.restored", n=len(restored))), toast=scene.texts.label("toast.restored")
    )


async def delete_many(scene: Scene, symbol: str | None) -> Answer:
    """Delete all rules of a market, or of the chat, after the question was answered with yes."""
    market = scene.resolve(symbol).market if symbol is not None else None
    wanted = [rule for rule in await _rules(scene) if symbol is None or rule.market == market]
    removed = [rule for rule in wanted if await scene.desk.remove_rule(scene.chat, rule.id) is not None]
    if not removed:
        return gone(scene)
    text = scene.texts("unwatch.deleted", n=len(removed))
    undo = key(scene.texts.label("button.undo"), "ub", ",".join(_base36(rule.id) for rule in removed))
    row = (key(scene.texts.label("button.rules"), "rn"),)
    fits = len((undo.data or "").encode()) <= CALLBACK_BYTES
    return Answer(Message(text, ((undo, *row),) if fits else (row,)), toast=scene.texts.label("toast.deleted"))


def kept(scene: Scene) -> Answer:
    """The question was answered with no."""
    return Answer(_with_rules(scene, scene.texts("unwatch.kept")))


def ids_of(packed: str) -> list[int]:
    """The rule ids that an undo button carries."""
    return [int(part, 36) for part in packed.split(",") if part.isascii() and part.isalnum() and len(part) <= 12]


async def _by_symbol(scene: Scene, wanted: str) -> Answer:
    resolution = scene.resolve(wanted)
    market, rules = resolution.market, await _rules(scene)
    if market is None:
        return unknown_symbol(scene, wanted, resolution.nearest, "us")
    watched, anywhere = {rule.market for rule in rules}, scene.desk.resolve(wanted)
    meant = (market, resolution.combined, anywhere.market, anywhere.combined)
    market = next((one for one in meant if one is not None and one in watched), market)
    return await of_market(scene, market_arg(market)) if rules else await menu(scene)


async def of_market(scene: Scene, symbol: str) -> Answer:
    """The rules of one market: the only one goes at once, of several one chooses."""
    resolution = scene.resolve(symbol)
    if resolution.market is None:
        return unknown_symbol(scene, symbol, resolution.nearest, "us")
    base = base_name(resolution.market)
    rules = [rule for rule in await _rules(scene) if rule.market == resolution.market]
    if not rules:
        return Answer(_with_rules(scene, scene.texts("unwatch.none_of", base=base)))
    if len(rules) == 1:
        return await delete(scene, rules[0].id)
    texts = scene.texts
    everything = key(texts.label("button.delete_all", n=len(rules)), "um", market_arg(resolution.market))
    return Answer(Message(texts("unwatch.pick"), (*((_rule_key(rule, scene),) for rule in rules), (everything,))))


async def _confirm_all(scene: Scene) -> Answer:
    rules = await _rules(scene)
    if not rules:
        return await menu(scene)
    texts = scene.texts
    yes = key(texts.label("button.confirm_delete", n=len(rules)), "ua")
    return Answer(Message(texts("unwatch.confirm_all", n=len(rules)), ((yes, key(texts.label("button.keep"), "uk")),)))


async def _rules(scene: Scene) -> list[Rule]:
    return sorted((view.rule for view in await scene.desk.rules(scene.chat)), key=lambda rule: rule.id)


def _rule_key(rule: Rule, scene: Scene) -> Button:
    label = scene.texts.label("button.delete_rule", number=str(rule.id), rule=named(scene, rule))
    return key(label, "xe", rule.id)


def _with_rules(scene: Scene, text: str) -> Message:
    return Message(text, ((key(scene.texts.label("button.rules"), "rn"),),))


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    out = ""
    while number:
        number, rest = divmod(number, 36)
        out = digits[rest] + out
    return out or "0"
