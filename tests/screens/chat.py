"""One chat of the scripted day: what a person does in it, and what stands in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bot.delivery.messenger import Button, Message
from bot.telegram.callbacks import unpack
from bot.telegram.inbound import Asked, Said, Standing
from bot.telegram.inline import Shop, offers_for, scene_of
from bot.telegram.limits import bare
from bot.telegram.turn import ChatKind, Inbound
from tests.screens.items import Item, Noted, Offered, Tapped, Toasted, Typed
from tests.screens.items import Said as Shown

if TYPE_CHECKING:
    from tests.screens.stage import Stage

BOSS, GUEST = 11, 12
"""An admin of every group, and somebody who is none."""

OPERATOR, EDITOR = 99, 98
"""Who runs the bot, and who may post in the channel."""

CHANNEL = -2001


class _NoPictures:
    """A server that has seen no picture yet."""

    def picture_id(self, name: str) -> str | None:
        return None


class _Silent:
    """A Messenger that nothing is sent with: there is no chat in which pictures are kept."""

    async def send(self, chat_id: int, message: Message) -> int:
        raise AssertionError("nothing is sent for an inline query")

    async def edit(self, chat_id: int, message_id: int, message: Message) -> None:
        raise AssertionError("nothing is edited for an inline query")

    async def answer_callback(self, callback_id: str, text: str = "") -> None:
        raise AssertionError("nothing is tapped in an inline query")


@dataclass
class Chat:
    """One chat on the phone: what stands in it, in order."""

    stage: "Stage"
    id: int
    kind: ChatKind
    user: int
    items: list[Item] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)

    async def type(self, *lines: str, user: int | None = None, reply_to: int | None = None) -> None:
        """Send messages, one after the other."""
        for line in lines:
            self.stage.typed.add(line.split()[0].partition("@")[0].removeprefix("/"))
            self.items.append(Typed(line, self.time, self._name(user)))
            inbound = self._inbound(user, text=line, reply_to=reply_to)
            await self.stage.take(Said(inbound, check_admin=self._checks))

    async def tap(self, verb: str, *args: str, nth: int = 0, user: int | None = None) -> None:
        """Tap the key of the newest message that has one with this verb and these among its arguments.

        Where menus have changed so that there is none, the sheet says so.
        """
        for message_id in sorted(self.messages, reverse=True):
            found = [key for row in self.messages[message_id].buttons for key in row if _carries(key, verb, args)]
            if len(found) > nth:
                await self._tap(message_id, found[nth], user)
                return
        self.note(f"the script finds no key {verb!r} here")

    async def tap_data(self, data: str) -> None:
        """Tap a key of an old message that is scrolled away."""
        await self._tap(0, Button("…", data=data), None)

    async def let_in(self, chat_id: int, kind: ChatKind) -> None:
        """The person lets the bot into a group or a channel."""
        stage = self.stage
        standing = Standing(stage.next_update(), chat_id, kind, True, "administrator", True, self.user, stage.language)
        await stage.take(standing)

    async def ask_inline(self, typed: str, *, share: int = -1) -> None:
        """Type the bot's name and this in a chat where the bot is not; `share` is the result that is sent, if any."""
        stage = self.stage
        shop = Shop(stage.app.desk, stage.app.catalogue, _NoPictures(), _Silent(), stage.clock)
        scene = await scene_of(shop, Asked("1", self.user, typed, stage.language))
        offers = await offers_for(shop, scene, typed)
        self.items.append(Typed(f"@LiqwatchBot {typed}".strip(), self.time, self._name(None)))
        results = tuple((offer.title, bare(offer.text).partition("\n")[0]) for offer in offers.found)
        self.items.append(Offered(results, scene.texts.label(offers.nothing or "inline.more")))
        if 0 <= share < len(offers.found):
            self.items.append(Shown(Message(offers.found[share].text), self.time))

    def note(self, text: str) -> None:
        """A line of the script's own."""
        self.items.append(Noted(text))

    def clear(self) -> None:
        """Scroll away what was only needed to get here."""
        self.items.clear()

    @property
    def last(self) -> int:
        """The number of the newest message."""
        return max(self.messages)

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.stage.clock.now_ms() / 1000, tz=UTC).strftime("%H:%M")

    def hear(self, message: Message, *, rings: bool) -> int:
        """A message of the bot arrives."""
        number = 1 + max(self.messages, default=0)
        self.messages[number] = message
        quoted = self.messages.get(message.reply_to) if message.reply_to is not None else None
        quote = None if quoted is None else bare(quoted.text).partition("\n")[0]
        self.items.append(Shown(message, self.time, quote=quote, rings=rings))
        return number

    def change(self, number: int, message: Message) -> None:
        """A message of the bot reads otherwise now."""
        if self.messages.get(number) != message:
            self.messages[number] = message
            self.items.append(Shown(message, self.time, edited=True))

    def notify(self, text: str) -> None:
        """A tap is answered."""
        self.items.append(Toasted(text))

    async def _tap(self, message_id: int, key: Button, user: int | None) -> None:
        self.items.append(Tapped(key.text, self._name(user)))
        shown = self.messages.get(message_id)
        inbound = self._inbound(
            user,
            callback_data=key.data,
            callback_id=str(self.id),
            message_id=message_id or None,
            has_photo=shown is not None and shown.photo is not None,
        )
        await self.stage.take(Said(inbound, check_admin=self._checks))

    def _inbound(self, user: int | None, **said: Any) -> Inbound:
        return Inbound(
            self.stage.next_update(),
            self.id,
            self.kind,
            user_id=user or self.user,
            language=self.stage.language,
            may_change=self.kind == "private",
            **said,
        )

    def _name(self, user: int | None) -> str | None:
        return None if self.kind == "private" else "Ada" if (user or self.user) == BOSS else "Bob"

    @property
    def _checks(self) -> bool:
        return self.kind in ("group", "supergroup")


def _carries(key: Button, verb: str, args: Sequence[str]) -> bool:
    if key.data is None:
        return False
    tap = unpack(key.data)
    return tap.verb == verb and all(arg in tap.args for arg in args)
