"""The conversation: what came in from a person, turned into what goes back. Pure logic on the Desk, no I/O of its own.

It keeps no state: what a button needs is in the button, what a chat has is at the desk. So nothing dies in a restart.
"""

from collections.abc import Sequence

from bot.alerts.types import Market
from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.asking import CHANGING_COMMANDS, CHANGING_TAPS, COMMAND, PERSONAL, WATCHING, asked
from bot.telegram.callbacks import Tap, key, market_arg, pack, unpack
from bot.telegram.commands import admin, channel, groups, publish, rule_edit, typed_rule, unwatch, welcome
from bot.telegram.desk import Desk, MarketUnavailableError, TooManyRulesError
from bot.telegram.limits import TOAST_UNITS, fit, shorten
from bot.telegram.routes import COMMANDS, MARKET_TAPS, OPERATOR_TAPS, SHOWING, TAPS, Answering
from bot.telegram.scene import Answer, Scene, base_name, unknown_symbol
from bot.telegram.speaking import Channels, NoChannels, spoken
from bot.telegram.texts import Catalogue, seen, sound
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast

__all__ = ["Action", "Conversation", "Edit", "Inbound", "Reply", "Toast"]

LONGEST_TEXT = 300
NOTHING = Answer()
NO_CHANNELS = NoChannels()


class Conversation:
    """Answers one inbound turn at a time; the same turn twice asks the desk the same things twice."""

    def __init__(self, desk: Desk, catalogue: Catalogue, channels: Channels = NO_CHANNELS) -> None:
        self._desk = desk
        self._catalogue = catalogue
        self._channels = channels

    async def answer(self, inbound: Inbound) -> list[Action]:
        """What to do about it. A tapped button always gets exactly one Toast, first, with or without a text.

        Nothing that a person can type or tap raises; only the desk itself may (a database that is gone).
        """
        texts = self._catalogue.texts(inbound.language)
        return await spoken(self._channels, inbound, texts, self._answer, personal=asked(inbound) in PERSONAL)

    async def _answer(self, inbound: Inbound) -> list[Action]:
        preferences = await self._desk.preferences(inbound.chat_id)
        scene = Scene.of(self._desk, self._catalogue, inbound, preferences)
        try:
            answer = await self._of_channels(scene) or await _answer(scene)
        except MarketUnavailableError as error:
            answer = _unavailable(scene, error)
        except TooManyRulesError as error:
            answer = await _too_many(scene, error)
        return _actions(answer, inbound)

    async def _of_channels(self, scene: Scene) -> Answer | None:
        """What is asked and said about channels themselves; None where it is anything else."""
        inbound = scene.inbound
        if inbound.occasion == "channel_joined":
            return await channel.joined(scene, self._channels, inbound.subject or 0) or NOTHING
        if inbound.callback_data is not None:
            tap = unpack(sound(inbound.callback_data))
            if inbound.chat_kind == "channel" and not inbound.may_change:
                return Answer(toast=scene.texts.label("toast.in_private"))
            if tap.verb == "cs":
                return await channel.choose(scene, self._channels, tap.number(0))
            if tap.verb == "ch":
                return await channel.menu(scene, self._channels)
            return await publish.tapped(scene, self._channels, tap)
        if asked(inbound) != "channel":
            return None
        typed = seen(inbound.text or "").partition(" ")[2].strip()
        return await channel.typed_channel(scene, self._channels, typed[:LONGEST_TEXT])


async def _answer(scene: Scene) -> Answer | None:
    inbound = scene.inbound
    if inbound.occasion is not None:
        return await groups.joined(scene)
    return await (_typed(scene) if inbound.callback_data is None else _tapped(scene, inbound.callback_data))


def _actions(answer: Answer | None, inbound: Inbound) -> list[Action]:
    """The answer as actions: in place of the tapped message where that can be, else as a new one."""
    if answer is None:
        return []
    actions: list[Action] = []
    if inbound.callback_data is not None:
        actions.append(Toast(shorten(answer.toast, TOAST_UNITS)))
    if answer.message is None:
        return actions
    message = fit(answer.message)
    in_place = inbound.callback_data is not None and not answer.fresh and message.document is None
    becomes_text = inbound.has_photo and message.photo is None
    if in_place and inbound.message_id is not None and not becomes_text:
        actions.append(Edit(inbound.message_id, message))
    else:
        actions.append(Reply(message))
    actions.extend(Reply(fit(after)) for after in answer.then)
    return actions


async def _typed(scene: Scene) -> Answer | None:
    text = seen(scene.inbound.text or "")
    command = COMMAND.fullmatch(text)
    if command is None and not scene.inbound.to_bot and await groups.is_talk(scene, text):
        return None
    if not text:
        return welcome.not_understood(scene, "error.no_text")
    runs_the_bot = command is not None and command[1].lower() == "admin" and admin.operator_of(scene) is not None
    if len(text) > (admin.LONGEST_LINE if runs_the_bot else LONGEST_TEXT):
        return welcome.not_understood(scene, "error.too_long")
    if command is not None:
        return await _command(scene, command[1].lower(), command[2].strip())
    if rule_edit.NUMBERED.fullmatch(text):
        return await _command(scene, "edit", text)
    word, _, rest = text.partition(" ")
    if word.lower() in COMMANDS:
        return await _command(scene, word.lower(), rest.strip())
    return await typed_rule.plain_text(scene, text)


async def _command(scene: Scene, name: str, rest: str) -> Answer:
    if name in CHANGING_COMMANDS and not scene.inbound.may_change:
        return Answer(Message(scene.texts("error.admins_only")))
    if name in COMMANDS:
        return await _answered(COMMANDS[name](scene, rest))
    if name == "admin" and (operator := admin.operator_of(scene)) is not None:
        return await admin.typed_admin(scene, operator, rest)
    return welcome.unknown_command(scene, name)


async def _answered(answering: Answering) -> Answer:
    return answering if isinstance(answering, Answer) else await answering


AGAIN = {"m": "mr", "mn": "mr", "hm": "hr", "li": "lr", "c": "cr", "pu": "pr"}
"""The verb that shows the same in place of its own message."""


LINES = {"position": "po", "stop": "sp", "levels": "lv", "cascade": "ca"}
"""Commands that a button gives again with their whole line."""


async def _tapped(scene: Scene, data: str) -> Answer:
    tap = unpack(sound(data))
    if tap.verb in CHANGING_TAPS and not scene.inbound.may_change:
        return Answer(toast=scene.texts.label("toast.admins_only"))
    if tap.verb in MARKET_TAPS:
        resolution = scene.resolve(tap.arg(0))
        market = resolution.shown if tap.verb in SHOWING else resolution.market
        if market is None:
            return _delisted(scene, tap, resolution.nearest)
        return await MARKET_TAPS[tap.verb](scene, market, tap)
    if tap.verb in TAPS:
        return await _answered(TAPS[tap.verb](scene, tap))
    if tap.verb in OPERATOR_TAPS and (operator := admin.operator_of(scene)) is not None:
        return await OPERATOR_TAPS[tap.verb](scene, operator, tap)
    start = await welcome.start(scene)
    return Answer(start.message, toast=scene.texts.label("toast.old_button"), fresh=True)


def _delisted(scene: Scene, tap: Tap, near: Sequence[str]) -> Answer:
    """The market of an old button is gone: the nearest ones, with the same verb."""
    symbol = tap.arg(0).rpartition(":")[2]
    answer = unknown_symbol(scene, symbol, near, tap.verb, *tap.args[1:])
    return replace(answer, fresh=True)


def _unavailable(scene: Scene, error: MarketUnavailableError) -> Answer:
    """No map now: why, and a button that tries the same again, in place of this message."""
    texts, base = scene.texts, base_name(error.market)
    verb, again = _same_again(scene.inbound, error.market)
    reason = texts.of("unavailable", error.reason)
    text = texts("error.not_watched" if verb in WATCHING else "error.unavailable", base=base, reason=reason)
    keys = (Button(texts.label("button.again"), data=again), key(texts.label("button.rules"), "rn"))
    return Answer(Message(text, (keys,)), fresh=verb in AGAIN)


def _same_again(inbound: Inbound, market: Market) -> tuple[str, str]:
    """The verb of a turn, and the data of a button that does the same in place of its own message."""
    if inbound.callback_data is not None:
        tap = unpack(sound(inbound.callback_data))
        return tap.verb, pack(AGAIN.get(tap.verb, tap.verb), *tap.args)
    command = COMMAND.fullmatch(seen(inbound.text or ""))
    if command is not None and command[1].lower() == "watch":
        return "wt", pack("wt", command[2].strip())
    same = {"clusters": "cr", "heatmap": "hr", "history": "lr", "pulse": "pr"}
    if command is not None and (verb := same.get(command[1].lower())) is not None:
        return verb, pack(verb, market_arg(market))
    if command is not None and (verb := LINES.get(command[1].lower())) is not None:
        return verb, pack(verb, command[2].strip())
    return "mr", pack("mr", market_arg(market))


async def _too_many(scene: Scene, error: TooManyRulesError) -> Answer:
    """The chat is full: its rules, each one tap from making room."""
    menu = await unwatch.menu(scene)
    buttons = menu.message.buttons if menu.message else ()
    return Answer(Message(scene.texts("error.too_many_rules", n=error.limit), buttons))
