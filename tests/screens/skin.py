"""Colours of the drawn phone, dark and light."""

from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Skin:
    """One theme. `mine` is the bubble of what the person wrote; `alarm` marks what a phone would cut."""

    name: str
    wall: Colour
    bar: Colour
    theirs: Colour
    mine: Colour
    text: Colour
    faint: Colour
    link: Colour
    key: Colour
    key_text: Colour
    code: Colour
    card: Colour
    lock: Colour
    alarm: Colour = (235, 64, 52)


DARK = Skin(
    name="dark",
    wall=(14, 22, 33),
    bar=(23, 33, 43),
    theirs=(24, 37, 51),
    mine=(43, 82, 120),
    text=(245, 245, 245),
    faint=(125, 140, 155),
    link=(106, 179, 243),
    key=(36, 53, 70),
    key_text=(228, 236, 244),
    code=(33, 48, 64),
    card=(52, 56, 66),
    lock=(9, 12, 18),
)
LIGHT = Skin(
    name="light",
    wall=(205, 219, 228),
    bar=(255, 255, 255),
    theirs=(255, 255, 255),
    mine=(222, 251, 204),
    text=(10, 10, 10),
    faint=(132, 146, 158),
    link=(36, 129, 204),
    key=(148, 172, 190),
    key_text=(255, 255, 255),
    code=(238, 243, 247),
    card=(243, 245, 248),
    lock=(120, 141, 160),
)
SKINS = {skin.name: skin for skin in (DARK, LIGHT)}
