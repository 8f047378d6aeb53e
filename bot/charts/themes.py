"""Colours of the pictures. Long and short are orange and blue, apart for every kind of colour vision."""

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["dark", "light"]


def theme_named(name: str) -> ThemeName:
    """The theme of this name, the dark one where there is none such."""
    return next((known for known in THEMES if known == name), "dark")


@dataclass(frozen=True, slots=True)
class Theme:
    """`long` and `short` paint what is inside clusters, their `_dim` twins what is outside, `_line` the curves."""

    background: str
    panel: str
    frame: str
    grid: str
    text: str
    muted: str
    price: str
    on_price: str
    banner: str
    on_banner: str
    long: str
    long_dim: str
    long_line: str
    short: str
    short_dim: str
    short_line: str


THEMES: dict[ThemeName, Theme] = {
    "dark": Theme(
        background="#0A0F17",
        panel="#101826",
        frame="#2B3A50",
        grid="#1C283A",
        text="#EDF2F9",
        muted="#9AA8BC",
        price="#FFFFFF",
        on_price="#0A0F17",
        banner="#F2C230",
        on_banner="#1B1400",
        long="#FF9F1C",
        long_dim="#8A5C20",
        long_line="#FFCF8A",
        short="#3FA7FF",
        short_dim="#27608F",
        short_line="#A9D8FF",
    ),
    "light": Theme(
        background="#FFFFFF",
        panel="#F6F8FB",
        frame="#B8C4D3",
        grid="#E3E9F1",
        text="#121B29",
        muted="#55637A",
        price="#121B29",
        on_price="#FFFFFF",
        banner="#F2C230",
        on_banner="#1B1400",
        long="#D96B00",
        long_dim="#F0C08F",
        long_line="#8F4600",
        short="#0F6FD1",
        short_dim="#A5CBF2",
        short_line="#0A4788",
    ),
}
