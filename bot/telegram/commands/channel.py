"""/channel: for whom the next commands speak, this chat or a channel in which the bot posts."""

from bot.delivery.messenger import Button, Message
from bot.telegram.callbacks import key
from bot.telegram.scene import Answer, Scene, echo
from bot.telegram.speaking import Channel, Channels, speaking_key

MOST = 20
NOBODY = 0


async def typed_channel(scene: Scene, channels: Channels, typed: str) -> Answer:
    """/channel, alone or with a channel's name or id."""
    user = scene.inbound.user_id
    if scene.inbound.chat_kind != "private" or user is None:
        return Answer(Message(scene.texts("channel.in_private")))
    if not typed:
        return await menu(scene, channels)
    channel = await channels.named(user, typed)
    if channel is None or not channel.may_post:
        return Answer(Message(scene.texts("channel.unknown", typed=echo(typed))))
    return await _chosen(scene, channels, user, channel)


async def menu(scene: Scene, channels: Channels) -> Answer:
    """Everybody for whom this person may speak, the one they speak for marked."""
    texts, user = scene.texts, scene.inbound.user_id
    if user is None or scene.inbound.chat_kind != "private":
        return Answer(toast=texts.label("toast.old_button"))
    found, now = (await channels.of(user))[:MOST], await channels.spoken_for(user)
    if not found:
        return Answer(Message(texts("channel.none")))
    choices = [(NOBODY, texts.label("button.this_chat")), *((one.id, echo(one.title)) for one in found)]
    speaks_for = now if now in {one.id for one in found} else NOBODY
    rows = [
        (key(texts.label("button.current", label=name) if chat == speaks_for else name, "cs", -chat),)
        for chat, name in choices
    ]
    return Answer(Message(texts("channel.pick"), tuple(rows)))


async def choose(scene: Scene, channels: Channels, channel: int) -> Answer:
    """The tapped choice; 0 is the chat itself."""
    user = scene.inbound.user_id
    if user is None or scene.inbound.chat_kind != "private":
        return Answer(toast=scene.texts.label("toast.old_button"))
    if channel == NOBODY:
        await channels.speak_for(user, None)
        return Answer(Message(scene.texts("channel.own"), ((_others(scene),),)))
    known = await channels.get(user, -channel)
    if not known.may_post:
        await channels.speak_for(user, None)
        return Answer(Message(scene.texts("channel.lost", title=known.title)))
    return await _chosen(scene, channels, user, known)


async def joined(scene: Scene, channels: Channels, channel: int) -> Answer | None:
    """To whoever let the bot into a channel: its alerts are set up here."""
    user = scene.inbound.user_id
    known = await channels.get(user, channel) if user is not None else None
    if known is None or not known.may_post:
        return None
    rules = await scene.desk.rules(channel)
    words = scene.texts("channel.back", title=known.title, n=len(rules)) if rules else None
    set_up = key(scene.texts.label("button.speak_for", title=echo(known.title)), "cs", -channel)
    return Answer(Message(words or scene.texts("channel.joined", title=known.title), ((set_up,),)))


async def _chosen(scene: Scene, channels: Channels, user: int, channel: Channel) -> Answer:
    await channels.speak_for(user, channel.id)
    texts = scene.texts
    next_steps = (
        speaking_key(texts.label("button.add"), channel.id, "n"),
        speaking_key(texts.label("button.rules"), channel.id, "rn"),
    )
    publish = key(texts.label("button.publish"), "lm", -channel.id)
    back = key(texts.label("button.this_chat_again"), "cs", NOBODY)
    return Answer(Message(texts("channel.chosen", title=channel.title), (next_steps, (publish,), (back,))))


def _others(scene: Scene) -> Button:
    return key(scene.texts.label("button.other_chat"), "ch")
