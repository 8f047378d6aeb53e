"""/why: in answer to an alert why it came; with a market or a rule's number why none came; alone, all of them."""

import re

from bot.alerts.types import EVERYWHERE, Market
from bot.delivery.messenger import Button, Message
from bot.telegram.callbacks import key
from bot.telegram.desk import WhyView
from bot.telegram.limits import TEXT_UNITS, visible_length
from bot.telegram.scene import Answer, Scene, base_name, unknown_symbol
from bot.telegram.texts import Html
from bot.telegram.venues import market_name
from bot.telegram.why_text import decision_words, joined, silent_words, told_words

MOST_RULES = 3
"""So many rules of one market are explained in one answer."""

_NUMBER = re.compile(r"(?:rule\s*)?#?\s*(\d{1,18})", re.IGNORECASE)


async def typed_why(scene: Scene, text: str) -> Answer:
    """/why with what was typed after it, or as an answer to a message."""
    wanted = text.strip()
    if not wanted:
        if scene.inbound.reply_to is not None:
            return await why_message(scene, scene.inbound.reply_to)
        return await overview(scene)
    number = _NUMBER.fullmatch(wanted)
    if number is not None:
        return await why_rule(scene, int(number[1]))
    return await _why_market(scene, wanted)


async def why_message(scene: Scene, message_id: int, *, fresh: bool = False) -> Answer:
    """Why the alerts of one message came."""
    views = await scene.desk.why_told(scene.chat, message_id)
    if not views:
        return Answer(Message(scene.texts("why.no_alert"), ((_rules_key(scene),),), silent=True), fresh=fresh)
    named = [(view, _named(scene, view.event.market, view.base)) for view in views]
    parts = _that_fit([told_words(view, market, scene.texts, now_ms=scene.now_ms) for view, market in named])
    return Answer(Message(joined(parts), ((_rules_key(scene),),), silent=True, reply_to=message_id), fresh=fresh)


async def why_rule(scene: Scene, rule_id: int) -> Answer:
    """Why one rule says nothing now."""
    view = await scene.desk.why_silent(scene.chat, rule_id)
    if view is None:
        return Answer(Message(scene.texts("unwatch.no_rule", number=str(rule_id)), ((_rules_key(scene),),)))
    parts = [_silent(scene, view), *await _chat_lines(scene)]
    return Answer(Message(joined(parts), ((_rules_key(scene),),)))


async def overview(scene: Scene) -> Answer:
    """What became of the chat's last alerts, and what waits now."""
    texts = scene.texts
    log = await scene.desk.decisions(scene.chat)
    lines = [texts("why.overview" if log else "why.overview_none")]
    lines += [
        decision_words(entry, _named(scene, entry.market, base_name(entry.market)), texts, now_ms=scene.now_ms)
        for entry in log
    ]
    parts = [Html("\n".join(lines)), *await _chat_lines(scene), texts("why.usage")]
    return Answer(Message(joined(parts), ((_rules_key(scene),),)))


async def _why_market(scene: Scene, wanted: str) -> Answer:
    resolution = scene.resolve(wanted)
    if resolution.market is None:
        return unknown_symbol(scene, wanted, resolution.nearest, "yb")
    return await why_market(scene, resolution.market)


async def why_market(scene: Scene, market: Market) -> Answer:
    """Why the chat's rules of one coin say nothing, whichever exchange they watch it on."""
    rules = [view.rule for view in await scene.desk.rules(scene.chat)]
    mine = [rule for rule in rules if rule.market.symbol == market.symbol]
    if not mine:
        base = base_name(market)
        watch = key(scene.texts.label("button.watch_of", base=base), "w", market.symbol)
        return Answer(Message(scene.texts("why.no_rule_of", base=base), ((watch, _rules_key(scene)),)))
    views = [await scene.desk.why_silent(scene.chat, rule.id) for rule in mine[:MOST_RULES]]
    parts = [_silent(scene, view) for view in views if view is not None]
    if len(mine) > MOST_RULES:
        parts.append(scene.texts("why.more_rules", n=len(mine) - MOST_RULES))
    return Answer(Message(joined(_that_fit([*parts, *await _chat_lines(scene)])), ((_rules_key(scene),),)))


def _silent(scene: Scene, view: WhyView) -> Html:
    market = _named(scene, view.rule.market, view.base)
    return silent_words(view, market, scene.texts, now_ms=scene.now_ms)


def _named(scene: Scene, market: Market, base: str) -> Html:
    """A market with its exchange where its name alone means another; what a rule of all of them watches."""
    return scene.texts("rule.everywhere") if market == EVERYWHERE else market_name(scene, market, base)


async def _chat_lines(scene: Scene) -> list[Html]:
    """What holds back all alerts of the chat now."""
    view, texts, lines = await scene.desk.quiet(scene.chat), scene.texts, []
    clock = texts.figures.clock
    if view.muted_until_ms > scene.now_ms:
        lines.append(texts("why.muted", until=clock(view.muted_until_ms, now_ms=scene.now_ms)))
    if view.quiet_until_ms > scene.now_ms:
        lines.append(texts("why.quiet", until=clock(view.quiet_until_ms, now_ms=scene.now_ms)))
    if view.held:
        since, until = (clock(ms, now_ms=scene.now_ms) for ms in (view.held_since_ms, view.held_until_ms))
        lines.append(texts("quiet.held", n=view.held, since=since, until=until))
    return [Html("\n".join(lines))] if lines else []


def _that_fit(parts: list[Html]) -> list[Html]:
    """As many of the parts as one message holds, the first ones, and at least one."""
    while len(parts) > 1 and visible_length(joined(parts)) > TEXT_UNITS:
        parts = parts[:-1]
    return parts


def _rules_key(scene: Scene) -> Button:
    return key(scene.texts.label("button.rules"), "rn")
