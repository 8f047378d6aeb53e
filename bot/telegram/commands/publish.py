"""Publishing: a rule of one's own, made in a channel as well; it then is the channel's, with its own memory.

Both rules are judged by themselves: what the channel is told does not hang on what the person mutes or snoozes.
"""

from bot.alerts.types import Kind, Rule
from bot.delivery.messenger import Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import Tap, key
from bot.telegram.commands.rules import gone, named
from bot.telegram.desk import TooManyRulesError
from bot.telegram.scene import Answer, Scene
from bot.telegram.speaking import Channel, Channels, speaking_key

VERBS = ("lm", "lp")
MINE_ALONE = frozenset({Kind.EXPOSURE})
"""Kinds that speak of somebody's own position: nobody publishes those by a slip of the thumb."""


async def tapped(scene: Scene, channels: Channels, tap: Tap) -> Answer | None:
    """The two buttons of publishing; None for any other."""
    if tap.verb not in VERBS:
        return None
    user = scene.inbound.user_id
    if user is None or scene.inbound.chat_kind != "private":
        return Answer(toast=scene.texts.label("toast.old_button"))
    channel = await channels.get(user, -tap.number(0))
    if not channel.may_post:
        return Answer(Message(scene.texts("channel.lost", title=channel.title)))
    return await (_menu(scene, channel) if tap.verb == "lm" else _publish(scene, channel, tap.number(1)))


async def _menu(scene: Scene, channel: Channel) -> Answer:
    """The rules of this chat that may be published, each a button."""
    rules = [rule for rule in await _own(scene) if rule.kind not in MINE_ALONE]
    texts = scene.texts
    if not rules:
        return Answer(Message(texts("publish.none", title=channel.title)))
    lines = tuple(
        (
            key(
                texts.label("button.publish_rule", number=str(rule.id), rule=named(scene, rule)),
                "lp",
                -channel.id,
                rule.id,
            ),
        )
        for rule in rules
    )
    return Answer(Message(texts("publish.pick", title=channel.title), lines))


async def _publish(scene: Scene, channel: Channel, rule_id: int) -> Answer:
    own = next((rule for rule in await _own(scene) if rule.id == rule_id and rule.kind not in MINE_ALONE), None)
    if own is None:
        return gone(scene)
    texts = scene.texts
    copy = replace(own, id=0, chat=channel.id, created_ms=scene.now_ms, snoozed_until_ms=0, paused_reason=None)
    try:
        added = await scene.desk.add_rule(copy)
    except TooManyRulesError as error:
        return Answer(Message(texts("publish.full", title=channel.title, n=error.limit)))
    words = texts(
        "publish.there" if added.existed else "publish.done",
        rule=named(scene, own),
        title=channel.title,
        number=str(added.rule.id),
    )
    only_there = key(texts.label("button.only_there"), "x", own.id)
    theirs = speaking_key(texts.label("button.channel_rule"), channel.id, "p", added.rule.id)
    another = key(texts.label("button.publish_another"), "lm", -channel.id)
    return Answer(Message(words, ((only_there, theirs), (another,))))


async def _own(scene: Scene) -> list[Rule]:
    return sorted((view.rule for view in await scene.desk.rules(scene.chat)), key=lambda rule: rule.id)
