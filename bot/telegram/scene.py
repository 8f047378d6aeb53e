"""What a command sees of one turn, what it answers, and the pieces that every answer is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.alerts.preferences import Preferences
from bot.alerts.types import Market
from bot.delivery.messenger import Button, Keyboard, Message
from bot.telegram.callbacks import key
from bot.telegram.desk import Desk, Look, Resolution
from bot.telegram.limits import CALLBACK_BYTES, shorten
from bot.telegram.table import columns_of
from bot.telegram.texts import Catalogue, Texts
from bot.telegram.texts.zones import offset_ms
from bot.telegram.turn import Inbound

CHIPS_A_ROW = 4
ECHO_UNITS = 40
KEY_COLUMNS = 13
"""What a phone 390 px wide shows of a key in a row of three."""

MARK_BYTES = 12
QUOTES = ("USDT", "USDC")


@dataclass(frozen=True, slots=True)
class Scene:
    """One turn: who asks, what this chat prefers, its texts among all, and the desk that knows."""

    desk: Desk
    catalogue: Catalogue
    inbound: Inbound
    preferences: Preferences
    texts: Texts

    @classmethod
    def of(cls, desk: Desk, catalogue: Catalogue, inbound: Inbound, preferences: Preferences) -> "Scene":
        """The scene for a chat with these preferences."""
        texts = catalogue.texts(preferences.language or inbound.language)
        texts = texts.read_by(preferences, shared=inbound.chat_kind != "private")
        return cls(desk, catalogue, inbound, preferences, texts)

    def preferring(self, preferences: Preferences) -> "Scene":
        """The same scene once the chat prefers otherwise."""
        return Scene.of(self.desk, self.catalogue, self.inbound, preferences)

    def resolve(self, text: str) -> Resolution:
        """What a symbol means here; where it names no exchange, the one that this chat prefers."""
        return self.desk.resolve(text, exchange=self.preferences.exchange)

    @property
    def offset_ms(self) -> int:
        """By how much the chat's clock is ahead of UTC now."""
        return offset_ms(self.texts.figures.zone, self.now_ms)

    @property
    def look(self) -> Look:
        """How pictures are made for this chat."""
        return Look(self.texts, self.preferences.theme)

    @property
    def chat(self) -> int:
        return self.inbound.chat_id

    @property
    def data_bytes(self) -> int:
        """How long a button's data may be, with room for the name of a channel that it speaks for."""
        return CALLBACK_BYTES - (MARK_BYTES if self.inbound.chat_kind == "channel" else 0)

    @property
    def now_ms(self) -> int:
        return self.desk.now_ms()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command wants shown: a message in place of the tapped one (`fresh`: under it), and a toast for a tap.

    `then` are messages that come after it.
    """

    message: Message | None = None
    toast: str = ""
    fresh: bool = False
    then: tuple[Message, ...] = ()


def base_name(market: Market) -> str:
    """A market's short name where nothing but its symbol is known: `BTC` of `BTCUSDT`."""
    for quote in QUOTES:
        if market.symbol.endswith(quote) and market.symbol != quote:
            return market.symbol.removesuffix(quote)
    return market.symbol


def echo(typed: str) -> str:
    """What somebody typed, short enough to be repeated to them."""
    return shorten(" ".join(typed.split()), ECHO_UNITS)


def chips(symbols: Sequence[str], verb: str, *args: str) -> Keyboard:
    """Symbols as rows of buttons of one length, each carrying the verb, the symbol and the given arguments."""
    keys = [key(base_name(Market("", symbol)), verb, symbol, *args) for symbol in symbols]
    lines = -(-len(keys) // CHIPS_A_ROW)
    return rows(keys, -(-len(keys) // max(lines, 1)) or 1)


def rows(keys: Sequence[Button], width: int) -> Keyboard:
    """Buttons in rows of at most `width`."""
    return tuple(tuple(keys[start : start + width]) for start in range(0, len(keys), width))


def side_by_side(keys: Sequence[Button]) -> Keyboard:
    """Keys in rows of three where a phone shows all their labels whole, else one under the other."""
    return rows(keys, 3 if all(columns_of(button.text) <= KEY_COLUMNS for button in keys) else 1)


def unknown_symbol(scene: Scene, typed: str, near: Sequence[str], verb: str, *args: str) -> Answer:
    """A symbol nobody knows: the nearest names as buttons that go on with what was wanted."""
    text = scene.texts("error.unknown_symbol" if near else "error.unknown_symbol_bare", typed=echo(typed))
    return Answer(Message(text, chips(near or scene.desk.popular(), verb, *args)))
