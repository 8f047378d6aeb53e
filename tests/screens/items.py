"""What can stand in a chat on the drawn phone."""

from dataclasses import dataclass

from bot.delivery.messenger import Message


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person wrote; `who` names them where several speak."""

    text: str
    time: str
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Tapped:
    """The key that a person tapped."""

    label: str
    who: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the bot as it reads now: `edited` in place, an answer to `quote`, or `rings` on a locked phone."""

    message: Message
    time: str
    edited: bool = False
    quote: str | None = None
    rings: bool = False


@dataclass(frozen=True, slots=True)
class Toasted:
    """A notice that a tap brings up for a moment."""

    text: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A word of whoever wrote the script, as Telegram's own lines between messages."""

    text: str


@dataclass(frozen=True, slots=True)
class Offered:
    """What inline mode offers above the keyboard: (title, description) of each result, and the line over them."""

    results: tuple[tuple[str, str], ...]
    above: str


Item = Offered | Typed | Tapped | Said | Toasted | Noted
