"""What can be done with a rule from its page or in one line: change it, quiet it, move it, copy it."""

import re

from bot.alerts.edit_line import parse_edit
from bot.alerts.faults import ErrorCode, ParseError
from bot.alerts.types import Kind, Market, Repeat, Rule
from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key
from bot.telegram.commands import own_level, rule_page, watch
from bot.telegram.commands.faults import fault_words
from bot.telegram.commands.line import by_the_clock
from bot.telegram.commands.parameters import parameters
from bot.telegram.commands.rules import gone, named, rules_answer
from bot.telegram.desk import MarketUnavailableError, TooManyRulesError
from bot.telegram.scene import Answer, Scene, echo
from bot.telegram.texts import Html
from bot.telegram.texts.figures import HOUR_MS

NUMBERED = re.compile(r"[#＃№]\s?(\d{1,18})\b\s*(.*)", re.DOTALL)
"""A line that begins with a rule's number."""


async def typed_edit(scene: Scene, text: str) -> Answer:
    """/edit with what was typed after it: `12 1.7%`, `#12 short`, `12`, or nothing."""
    if not text:
        return await rules_answer(scene)
    found = NUMBERED.fullmatch("#" + text.lstrip("#＃№ "))
    if found is not None:
        return await numbered(scene, int(found[1]), found[2])
    symbol, _, line = text.partition(" ")
    market = scene.resolve(symbol).market
    rules = [view.rule for view in await scene.desk.rules(scene.chat) if view.rule.market == market]
    if len(rules) == 1:
        return await numbered(scene, rules[0].id, line)
    which = scene.texts("edit.which", typed=echo(text))
    return Answer(Message(which, tuple(_open_key(scene, rule) for rule in rules) or (_rules_key(scene),)))


async def numbered(scene: Scene, number: int, line: str) -> Answer:
    """A line for one rule; without anything to change, its page."""
    view = await rule_page.find(scene, number)
    if view is None:
        return Answer(Message(scene.texts("unwatch.no_rule", number=str(number)), (_rules_key(scene),)))
    if not line.strip():
        return await rule_page.page(scene, number)
    changed = _read(scene, view.rule, line)
    if isinstance(changed, ParseError):
        return await _explain(scene, view.rule, changed)
    return await _edit(scene, view.rule, changed)


async def tapped_edit(scene: Scene, rule_id: int, line: str) -> Answer:
    """A value was tapped on a rule's page."""
    view = await rule_page.find(scene, rule_id)
    if view is None:
        return gone(scene)
    changed = _read(scene, view.rule, line)
    if isinstance(changed, ParseError):
        return await _explain(scene, view.rule, changed)
    return await _edit(scene, view.rule, changed)


async def snooze(scene: Scene, rule_id: int, span: str) -> Answer:
    """Silence a rule for so many hours, until tomorrow (`t`), or wake it (0)."""
    if span == "t":
        until_ms = rule_page.tomorrow_ms(scene.now_ms, offset_ms=scene.offset_ms)
    else:
        hours = min(int(span), 24 * 7) if span.isascii() and span.isdigit() and len(span) < 4 else 1
        until_ms = scene.now_ms + hours * HOUR_MS if hours else 0
    rule = await scene.desk.snooze_rule(scene.chat, rule_id, until_ms)
    if rule is None:
        return gone(scene)
    texts = scene.texts
    if not until_ms:
        return await rule_page.page(scene, rule_id, toast=texts.label("toast.awake"))
    time = texts.figures.clock(until_ms, now_ms=scene.now_ms)
    return await rule_page.page(scene, rule_id, toast=texts.label("toast.snoozed_until", time=time))


async def pause(scene: Scene, rule_id: int) -> Answer:
    """Let a rule say nothing until it is woken."""
    rule = await scene.desk.pause_rule(scene.chat, rule_id)
    if rule is None:
        return gone(scene)
    return await rule_page.page(scene, rule_id, toast=scene.texts.label("toast.paused"))


async def move(scene: Scene, rule_id: int, market: Market) -> Answer:
    """The same rule on another exchange. What it told belongs to the old market, so it gets a number of its own."""
    view = await rule_page.find(scene, rule_id)
    if view is None:
        return gone(scene)
    if view.rule.market == market:
        return await rule_page.page(scene, rule_id)
    await scene.desk.remove_rule(scene.chat, rule_id)
    try:
        added = await scene.desk.add_rule(replace(view.rule, id=0, market=market))
    except (MarketUnavailableError, TooManyRulesError):
        await scene.desk.restore_rule(scene.chat, rule_id)
        raise
    note = scene.texts("edit.moved", before=str(rule_id), rule=named(scene, added.rule), number=str(added.rule.id))
    return await rule_page.page(scene, added.rule.id, note=note, toast=scene.texts.label("toast.changed"))


async def copy(scene: Scene, market: Market, rule_id: int) -> Answer:
    """The same rule for another market."""
    view = await rule_page.find(scene, rule_id)
    if view is None:
        return gone(scene)
    copied = replace(view.rule, id=0, market=market, snoozed_until_ms=0, paused_reason=None, created_ms=scene.now_ms)
    return await watch.add(scene, copied)


def _read(scene: Scene, rule: Rule, line: str) -> Rule | ParseError:
    return by_the_clock(scene, lambda offset_ms: parse_edit(rule, line, now_ms=scene.now_ms, offset_ms=offset_ms))


async def _edit(scene: Scene, before: Rule, changed: Rule) -> Answer:
    texts = scene.texts
    if changed == before:
        return await rule_page.page(scene, before.id, toast=texts.label("toast.unchanged"))
    if (refused := await own_level.refusal(scene, changed)) is not None:
        return refused
    done = await scene.desk.edit_rule(changed)
    if done is None:
        return gone(scene)
    if done.existed:
        note = texts("edit.twin", rule=named(scene, done.rule), number=str(done.rule.id))
        return await rule_page.page(scene, before.id, note=note, toast=texts.label("toast.unchanged"))
    note = texts("edit.changed", rule=named(scene, done.rule))
    if done.already is not None and _asks(before) != _asks(done.rule):
        true_now = texts("edit.already" if done.rule.kind is Kind.PROXIMITY else "edit.already_so")
        note = Html("\n".join([note, true_now]))
    return await rule_page.page(scene, before.id, note=note, toast=texts.label("toast.changed"))


def _asks(rule: Rule) -> Rule:
    """What a rule asks of the market, without how often and until when it tells of that."""
    return replace(rule, label=None, repeat=Repeat.EPISODE, repeat_ms=0, expires_ms=0, created_ms=0, paused_reason=None)


async def _explain(scene: Scene, rule: Rule, error: ParseError) -> Answer:
    """What is wrong with the line, one that is right, and the page that has buttons for it."""
    if error.code is ErrorCode.EMPTY:
        return await rule_page.page(scene, rule.id)
    texts = scene.texts
    custom = parameters(rule, None, texts)[0].custom
    understood = f"#{rule.id} {error.values.get('understood', '')}".strip()
    fault = replace(error, values={**error.values, "understood": understood})
    lines = [fault_words(fault, texts), texts("edit.example", line=f"/edit {rule.id} {custom}")]
    return Answer(Message(Html("\n".join(lines)), (_open_key(scene, rule),)))


def _open_key(scene: Scene, rule: Rule) -> tuple[Button, ...]:
    return (key(scene.texts.label("button.open_rule", number=str(rule.id), rule=named(scene, rule)), "p", rule.id),)


def _rules_key(scene: Scene) -> tuple[Button, ...]:
    return (key(scene.texts.label("button.rules"), "rn"),)
