"""A chat with a conversation, without a messenger: what is typed and tapped, the screen, and a transcript."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.conversation import Conversation, Edit, Inbound, Reply, Toast
from bot.telegram.limits import (
    CALLBACK_BYTES,
    CAPTION_UNITS,
    ENTITIES,
    ROW_KEYS,
    TEXT_UNITS,
    TOAST_UNITS,
    bare,
    visible_length,
)
from bot.telegram.speaking import Channels, NoChannels
from bot.telegram.texts import Catalogue, Texts
from bot.telegram.turn import Action, ChatKind, Occasion
from tests.fakes.bot_api.html import parse
from tests.fakes.desk import FakeDesk

CATALOGUE = Catalogue.load()


@dataclass
class Chat:
    """One person on one phone. `screen` holds the messages by id; a tap finds its key on the newest that has it."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    chat_id: int = 7
    kind: ChatKind = "private"
    may_change: bool = True
    language: str | None = "en"
    screen: dict[int, Message] = field(default_factory=dict)
    toasts: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    channels: Channels = field(default_factory=NoChannels)
    tapped: list[str] = field(default_factory=list)
    """The data of each key that was tapped by its label."""

    def __post_init__(self) -> None:
        self.conversation = Conversation(self.desk, CATALOGUE, self.channels)
        self._updates = 0

    async def type(self, text: str | None, *, to_bot: bool = True, reply_to: int | None = None) -> list[Action]:
        """Send a text; None is a sticker."""
        self.lines.append(f"> {text if text is not None else '(a sticker)'}")
        return await self._take(self._inbound(text=text, to_bot=to_bot, reply_to=reply_to))

    async def happen(self, occasion: Occasion, what: str, *, subject: int | None = None) -> list[Action]:
        """Something happens to the bot; `what` is its line in the transcript."""
        self.lines.append(f"* {what}")
        return await self._take(replace(self._inbound(), occasion=occasion, subject=subject))

    @property
    def texts(self) -> Texts:
        """The texts of the client's language."""
        return CATALOGUE.texts(self.language)

    async def tap(self, label: str) -> list[Action]:
        """Tap the key of this label on the newest message that has one."""
        message_id, button = self._find(lambda button: button.text == label, label)
        self.tapped.append(button.data or "")
        return await self.tap_key(message_id, button)

    def _find(self, wanted: Callable[[Button], bool], name: str) -> tuple[int, Button]:
        for message_id in sorted(self.screen, reverse=True):
            for button in self.keys(message_id):
                if wanted(button):
                    return message_id, button
        raise AssertionError(f"no key {name!r} on the screen: {[b.text for m in self.screen for b in self.keys(m)]}")

    async def tap_key(self, message_id: int, button: Button) -> list[Action]:
        """Tap this key of this message."""
        self.lines.append(f"> [{button.text}]")
        return await self.tap_data(button.data or "", message_id)

    async def tap_data(self, data: str, message_id: int = 1) -> list[Action]:
        """Tap a key that carries this, as an old or a forged message may."""
        shown = self.screen.get(message_id)
        has_photo = shown is not None and shown.photo is not None
        return await self._take(self._inbound(data=data, message_id=message_id, has_photo=has_photo))

    def show(self, message: Message) -> int:
        """Put a message on the screen that no turn asked for, as an alert comes."""
        message_id = 1 + max(self.screen, default=0)
        self._write(message_id, message, "")
        return message_id

    def keys(self, message_id: int) -> list[Button]:
        return [button for row in self.screen[message_id].buttons for button in row]

    @property
    def last(self) -> Message:
        """The newest message."""
        return self.screen[max(self.screen)]

    @property
    def said(self) -> str:
        """What a reader of the newest message sees."""
        return bare(self.last.text)

    @property
    def transcript(self) -> str:
        return "\n".join(self.lines) + "\n"

    def _inbound(
        self,
        *,
        text: str | None = None,
        data: str | None = None,
        message_id: int | None = None,
        has_photo: bool = False,
        to_bot: bool = True,
        reply_to: int | None = None,
    ) -> Inbound:
        self._updates += 1
        return Inbound(
            update_id=self._updates,
            chat_id=self.chat_id,
            chat_kind=self.kind,
            user_id=11,
            language=self.language,
            text=text,
            callback_data=data,
            callback_id="query" if data is not None else None,
            message_id=message_id,
            has_photo=has_photo,
            may_change=self.may_change,
            to_bot=to_bot,
            reply_to=reply_to,
        )

    async def _take(self, inbound: Inbound) -> list[Action]:
        actions = await self.conversation.answer(inbound)
        toasts = [action for action in actions if isinstance(action, Toast)]
        assert len(toasts) == (1 if inbound.callback_data is not None else 0), "one toast for a tap, none for a text"
        for action in actions:
            match action:
                case Toast(text):
                    assert len(text) <= TOAST_UNITS
                    self.toasts.append(text)
                    if text:
                        self.lines.append(f"  ({text})")
                case Edit(message_id, message):
                    before = self.screen.get(message_id)
                    assert before is None or before.photo is None or message.photo is not None, "a picture stays one"
                    self._write(message_id, message, "edited ")
                case Reply(message):
                    self._write(1 + max(self.screen, default=0), message, "")
        return actions

    def _write(self, message_id: int, message: Message, how: str) -> None:
        check_limits(message)
        self.screen[message_id] = message
        picture = f" ▣ {message.photo_name}" if message.photo else ""
        picture += f" 📄 {message.document.name}" if message.document else ""
        answers = f" ↩ {message.reply_to}" if message.reply_to else ""
        quiet = " silent" if message.silent else ""
        self.lines.append(f"{how}#{message_id}{answers}{picture}{quiet}")
        self.lines.extend(f"  {line}".rstrip() for line in bare(message.text).split("\n"))
        self.lines.extend("  " + " ".join(f"[{button.text}]" for button in row) for row in message.buttons)


def check_limits(message: Message) -> None:
    """No server would refuse this message."""
    assert bare(message.text).strip(), "a message says something"
    assert visible_length(message.text) <= (CAPTION_UNITS if message.photo or message.document else TEXT_UNITS)
    assert len(parse(message.text).entities) <= ENTITIES
    for row in message.buttons:
        assert 0 < len(row) <= ROW_KEYS
        for button in row:
            assert button.text.strip()
            assert (button.data is None) != (button.copy is None and button.url is None)
            assert button.data is None or 0 < len(button.data.encode()) <= CALLBACK_BYTES
            assert button.copy is None or 0 < len(button.copy) <= 256


@dataclass
class SameTaps(Chat):
    """A conversation had again in another language: the n-th tap is on the key that carries what `taps[n]` says."""

    taps: tuple[str, ...] = ()

    async def tap(self, label: str) -> list[Action]:
        """Tap the key that in the first language had this label; one not offered (a city) comes from an old message."""
        data = self.taps[len(self.tapped)]
        self.tapped.append(data)
        try:
            message_id, button = self._find(lambda button: (button.data or "") == data, label)
        except AssertionError:
            message_id, button = max(self.screen), Button(label, data=data)
        return await self.tap_key(message_id, button)
