"""Strips put on phones, phones put side by side on contact sheets."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from tests.screens.drawing import SCREEN, Artist, Findings
from tests.screens.faces import PLAIN, SCALE, Style
from tests.screens.items import Item
from tests.screens.paragraph import draw_text
from tests.screens.skin import Skin

PHONES = 3
"""How many stand side by side."""

HEAD, FOOT, SCREEN_HIGH = 50, 44, 844
GAP, TITLE = 15, 30
ROOM = (SCREEN_HIGH - HEAD - FOOT) * SCALE
"""What a phone shows of a chat at once, in drawn pixels."""


def write_sheets(
    folder: Path, name: str, items: Sequence[Item], *, skin: Skin, chat: str
) -> tuple[list[Path], Findings]:
    """Draw a chat on as many sheets as it takes; returns where they are, and what to look at."""
    artist = Artist(skin)
    phones = _phones([artist.draw(item) for item in items])
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    sheets = [phones[start : start + PHONES] for start in range(0, len(phones), PHONES)]
    for number, some in enumerate(sheets, start=1):
        suffix = f"-{number}" if len(sheets) > 1 else ""
        path = folder / f"{name}{suffix}.png"
        title = f"{folder.name} · {name} · {skin.name} · {number} of {len(sheets)}"
        _sheet(some, skin, chat, title).save(path, optimize=False, compress_level=3)
        paths.append(path)
    return paths, artist.findings


def _phones(strips: Sequence[Image.Image]) -> list[list[Image.Image]]:
    """Strips in order, as many on each phone as it can show; what is higher than a screen has a phone of its own."""
    phones: list[list[Image.Image]] = [[]]
    used = 0
    for strip in strips:
        if used and used + strip.height > ROOM:
            phones.append([])
            used = 0
        phones[-1].append(strip)
        used += strip.height
    return phones


def _sheet(phones: Sequence[Sequence[Image.Image]], skin: Skin, chat: str, title: str) -> Image.Image:
    drawn = [_phone(strips, skin, chat) for strips in phones]
    width = (PHONES * SCREEN + (PHONES + 1) * GAP) * SCALE
    height = max(phone.height for phone in drawn) + (TITLE + GAP) * SCALE
    sheet = Image.new("RGB", (width, height), (90, 96, 104))
    draw = ImageDraw.Draw(sheet)
    draw_text(draw, GAP, TITLE / 2, title, Style(bold=True), 14, (255, 255, 255), skin.alarm)
    for place, phone in enumerate(drawn):
        sheet.paste(phone, ((GAP + place * (SCREEN + GAP)) * SCALE, TITLE * SCALE))
    return sheet


def _phone(strips: Sequence[Image.Image], skin: Skin, chat: str) -> Image.Image:
    used = sum(strip.height for strip in strips)
    room = max(ROOM, used)
    phone = Image.new("RGB", (SCREEN * SCALE, room + (HEAD + FOOT) * SCALE), skin.wall)
    draw = ImageDraw.Draw(phone)
    draw.rectangle((0, 0, phone.width, HEAD * SCALE), fill=skin.bar)
    draw_text(draw, 14, HEAD / 2, "‹", PLAIN, 24, skin.link, skin.alarm)
    draw.ellipse((38 * SCALE, 8 * SCALE, 72 * SCALE, 42 * SCALE), fill=skin.link)
    draw_text(draw, 49, HEAD / 2, chat[:1], Style(bold=True), 17, (255, 255, 255), skin.alarm)
    draw_text(draw, 82, HEAD / 2 - 8, chat, Style(bold=True), 14.5, skin.text, skin.alarm)
    draw_text(
        draw, 82, HEAD / 2 + 10, "bot" if chat == "Liqwatch" else "several people", PLAIN, 11.5, skin.faint, skin.alarm
    )
    y = HEAD * SCALE
    for strip in strips:
        phone.paste(strip, (0, y))
        y += strip.height
    if used > ROOM:
        fold = HEAD * SCALE + ROOM
        for x in range(0, phone.width, 24):
            draw.line((x, fold, x + 12, fold), fill=skin.alarm, width=3)
    foot = phone.height - FOOT * SCALE
    draw.rectangle((0, foot, phone.width, phone.height), fill=skin.bar)
    draw_text(draw, 50, foot / SCALE + FOOT / 2, "Message", PLAIN, 14, skin.faint, skin.alarm)
    return phone
