"""What a button carries: a verb and its arguments, readable again months later.

A market goes as `exchange:symbol` and is looked up again on each tap, so a button outlives a delisting kindly.
"""

from dataclasses import dataclass

from bot.alerts.types import Market
from bot.delivery.messenger import Button
from bot.telegram.texts import Texts
from bot.telegram.texts.figures import copied_price

SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Tap:
    """A tapped button, taken apart."""

    verb: str
    args: tuple[str, ...] = ()

    def arg(self, index: int) -> str:
        """An argument, empty where the button carries none."""
        return self.args[index] if index < len(self.args) else ""

    def number(self, index: int) -> int:
        """An argument as a whole number, 0 where it is none."""
        text = self.arg(index)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def pack(verb: str, *args: str | int) -> str:
    """The data of a button; `limits.fit` leaves out a button whose data is over 64 bytes."""
    return SEPARATOR.join((verb, *map(str, args)))


def unpack(data: str) -> Tap:
    """The tap behind a button's data; any text gives one."""
    verb, *args = data.split(SEPARATOR)
    return Tap(verb, tuple(args))


def key(text: str, verb: str, *args: str | int) -> Button:
    """A button with packed data."""
    return Button(text, data=pack(verb, *args))


def copy_key(price: float, tick_size: float, texts: Texts) -> Button:
    """A button that copies a level as an order form takes it."""
    level = texts.figures.level(price, tick_size)
    return Button(texts.label("button.copy", level=level), copy=copied_price(price, tick_size))


def market_arg(market: Market) -> str:
    """A market as one argument; `Desk.resolve` reads it back."""
    return f"{market.exchange}:{market.symbol}"
