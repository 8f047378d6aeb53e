"""Items of a chat drawn at twice a phone's pixels, each as a strip as wide as the screen."""

import io
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from bot.delivery.messenger import Button, Document, Message
from bot.telegram.limits import bare
from tests.screens.faces import PLAIN, SCALE, Style, lacking, shortened, width_of
from tests.screens.items import Item, Noted, Offered, Said, Tapped, Toasted, Typed
from tests.screens.markup import Block, Run, read_markup
from tests.screens.paragraph import Line, draw_text, set_lines
from tests.screens.shapes import box, outline, paste, stacked
from tests.screens.skin import Colour, Skin

SCREEN = 390
"""Width of the phone's screen."""

BUBBLE = 324
"""The widest that a bubble gets; its text has 11 less at either side."""

PAD = 11
TEXT_PX, MONO_PX, SMALL_PX, KEY_PX = 14.3, 14.9, 11.0, 13.0
LINE, MONO_LINE, KEY_ROW = 20.0, 20.0, 38.0
BOLD = Style(bold=True)


@dataclass(slots=True)
class Findings:
    """What a reader of the sheets should look at: keys that are cut, tables that wrap, signs without a glyph."""

    cut_keys: list[str] = field(default_factory=list)
    cut_headlines: list[str] = field(default_factory=list)
    wrapped_tables: list[str] = field(default_factory=list)
    lacking: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Body:
    """A block set in lines, and how much room it takes."""

    block: Block
    lines: tuple[Line, ...]
    inset: float
    line_height: float

    @property
    def width(self) -> float:
        return max((line.width for line in self.lines), default=0.0) + 2 * self.inset

    @property
    def height(self) -> float:
        return len(self.lines) * self.line_height + (8 if self.block.kind != "text" else 0)


class Artist:
    """Draws in one skin, and notes what it finds."""

    def __init__(self, skin: Skin) -> None:
        self.skin = skin
        self.findings = Findings()

    def draw(self, item: Item) -> Image.Image:
        """The strip of one item."""
        match item:
            case Said():
                strips = [self._lock_screen(item.message)] if item.rings else []
                return stacked([*strips, self._said(item)], self.skin.wall)
            case Typed():
                return self._typed(item)
            case Tapped():
                return self._tapped(item)
            case Toasted(text):
                return self._toast(text)
            case Noted(text):
                return self._note(text)
            case Offered():
                return self._offers(item)

    def _said(self, item: Said) -> Image.Image:
        message = item.message
        bodies = self._bodies(message.text)
        stamp = f"{'edited ' if item.edited else ''}{item.time}"
        stamp_width = width_of(stamp, PLAIN, SMALL_PX) + (16 if message.silent else 0)
        last = bodies[-1].lines[-1].width if bodies and bodies[-1].block.kind == "text" else BUBBLE
        inline = last + 10 + stamp_width <= BUBBLE - 2 * PAD
        widest = max([body.width for body in bodies] + ([last + 10 + stamp_width] if inline else [stamp_width]))
        quote_height = 44 if item.quote is not None else 0
        if item.quote is not None:
            widest = max(widest, min(BUBBLE - 2 * PAD, width_of(item.quote, PLAIN, 12.5) + 16))
        wide = widest + 2 * PAD
        if message.buttons:
            wide = max(wide, min(BUBBLE, _keyboard_width(message)))
        picture = None
        if message.photo is not None:
            wide = BUBBLE
            picture = Image.open(io.BytesIO(message.photo)).convert("RGB")
            picture_height = wide * picture.height / picture.width
        else:
            picture_height = 0.0
        file_height = 48.0 if message.document is not None else 0.0
        wide = max(wide, 220.0) if message.document is not None else wide
        text_height = file_height + sum(body.height for body in bodies) + (0 if inline else 16)
        bubble_height = 7 + quote_height + picture_height + text_height + 8
        keys_height = (4 + KEY_ROW) * len(message.buttons)
        strip, draw = self._strip(bubble_height + keys_height + 8)
        left, top = 8.0, 2.0
        box(draw, left, top, wide, bubble_height, 14, self.skin.theirs)
        y = top + 7
        if item.quote is not None:
            self._quote(draw, left + PAD, y, item.quote, wide - 2 * PAD)
            y += quote_height
        if picture is not None:
            paste(strip, picture, left, top if item.quote is None else y, wide, picture_height)
            y += picture_height
        if message.document is not None:
            self._file(draw, left + PAD, y, message.document)
            y += file_height
        for body in bodies:
            self._body(draw, body, left + PAD, y, wide - 2 * PAD)
            y += body.height
        stamp_y = y - LINE / 2 + 1 if inline else y + 8
        stamp_x = left + wide - PAD - stamp_width
        if message.silent:
            self._silent(draw, stamp_x, stamp_y)
        draw_text(
            draw,
            left + wide - PAD - width_of(stamp, PLAIN, SMALL_PX),
            stamp_y,
            stamp,
            PLAIN,
            SMALL_PX,
            self.skin.faint,
            self.skin.alarm,
        )
        self._keys(draw, message, left, top + bubble_height, wide)
        return strip

    def _bodies(self, markup: str) -> list[_Body]:
        self.findings.lacking |= lacking(bare(markup))
        bodies = []
        for block in read_markup(markup):
            inset = 8.0 if block.kind != "text" else 0.0
            mono = MONO_PX
            lines = tuple(set_lines(block.runs, BUBBLE - 2 * PAD - 2 * inset, TEXT_PX, mono_px=mono))
            if block.kind == "pre" and any(line.broken for line in lines):
                self.findings.wrapped_tables.append("".join(run.text for run in block.runs).split("\n")[0])
            bodies.append(_Body(block, lines, inset, MONO_LINE if block.kind == "pre" else LINE))
        return bodies

    def _body(self, draw: ImageDraw.ImageDraw, body: _Body, x: float, y: float, wide: float) -> None:
        skin = self.skin
        if body.block.kind != "text":
            box(draw, x, y + 1, wide, body.height - 2, 5, skin.code)
            box(draw, x, y + 1, 3, body.height - 2, 1, skin.link)
            y += 4
        for line in body.lines:
            middle = y + body.line_height / 2
            for piece in line.pieces:
                colour = skin.link if piece.style.link or _is_command(piece.text) else skin.text
                if piece.style.mono and body.block.kind == "text":
                    colour = skin.link
                px = MONO_PX if piece.style.mono else TEXT_PX
                draw_text(draw, x + body.inset + piece.x, middle, piece.text, piece.style, px, colour, skin.alarm)
            if line.broken and body.block.kind == "pre":
                box(draw, x + wide - 4, y + 2, 4, body.line_height - 4, 1, skin.alarm)
            y += body.line_height

    def _keys(self, draw: ImageDraw.ImageDraw, message: Message, left: float, top: float, wide: float) -> None:
        for number, row in enumerate(message.buttons):
            y = top + 4 + number * (KEY_ROW + 4)
            cell = (wide - 4 * (len(row) - 1)) / len(row)
            for place, key in enumerate(row):
                self._key(draw, key, left + place * (cell + 4), y, cell)

    def _key(self, draw: ImageDraw.ImageDraw, key: Button, x: float, y: float, wide: float) -> None:
        skin = self.skin
        self.findings.lacking |= lacking(key.text)
        label = shortened(key.text, wide - 10, BOLD, KEY_PX)
        box(draw, x, y, wide, KEY_ROW, 9, skin.key)
        if label != key.text:
            self.findings.cut_keys.append(key.text)
            outline(draw, x, y, wide, KEY_ROW, 9, skin.alarm)
        at = x + (wide - width_of(label, BOLD, KEY_PX)) / 2
        draw_text(draw, at, y + KEY_ROW / 2, label, BOLD, KEY_PX, skin.key_text, skin.alarm)
        if key.copy is not None:
            outline(draw, x + wide - 12, y + 4, 5, 6, 1, skin.key_text, width=1)
            outline(draw, x + wide - 10, y + 6, 5, 6, 1, skin.key_text, width=1)
        elif key.data is None:
            draw_text(draw, x + wide - 12, y + 8, "↗", PLAIN, 9, skin.key_text, skin.alarm)

    def _quote(self, draw: ImageDraw.ImageDraw, x: float, y: float, quote: str, wide: float) -> None:
        skin = self.skin
        box(draw, x, y, wide, 38, 5, skin.code)
        box(draw, x, y, 3, 38, 1, skin.link)
        draw_text(draw, x + 9, y + 11, "Liqwatch", BOLD, 12.0, skin.link, skin.alarm)
        words = shortened(quote, wide - 16, PLAIN, 12.0)
        draw_text(draw, x + 9, y + 27, words, PLAIN, 12.0, skin.text, skin.alarm)

    def _file(self, draw: ImageDraw.ImageDraw, x: float, y: float, document: Document) -> None:
        skin = self.skin
        draw.ellipse((x * SCALE, y * SCALE, (x + 38) * SCALE, (y + 38) * SCALE), fill=skin.link)
        draw_text(draw, x + 13, y + 19, "↓", BOLD, 16, skin.theirs, skin.alarm)
        draw_text(draw, x + 48, y + 11, document.name, BOLD, TEXT_PX, skin.link, skin.alarm)
        size = f"{len(document.data) / 1000:.1f} KB"
        draw_text(draw, x + 48, y + 29, size, PLAIN, 12.0, skin.faint, skin.alarm)

    def _typed(self, item: Typed) -> Image.Image:
        lines = set_lines([Run(item.text, PLAIN)], BUBBLE - 2 * PAD, TEXT_PX)
        stamp_width = width_of(item.time, PLAIN, SMALL_PX)
        inline = lines[-1].width + 10 + stamp_width <= BUBBLE - 2 * PAD
        name_width = width_of(item.who, BOLD, 12.5) if item.who else 0.0
        text_width = max(
            name_width, *(line.width for line in lines), lines[-1].width + 10 + stamp_width if inline else 0
        )
        wide, name_height = text_width + 2 * PAD, 18 if item.who else 0
        height = 7 + name_height + len(lines) * LINE + (0 if inline else 16) + 8
        strip, draw = self._strip(height + 8)
        left, y = SCREEN - 8 - wide, 9.0
        box(draw, left, 2, wide, height, 14, self.skin.mine)
        if item.who:
            draw_text(draw, left + PAD, y + 8, item.who, BOLD, 12.5, self.skin.link, self.skin.alarm)
            y += name_height
        for line in lines:
            for piece in line.pieces:
                colour = self.skin.link if _is_command(piece.text) else self.skin.text
                draw_text(draw, left + PAD + piece.x, y + LINE / 2, piece.text, PLAIN, TEXT_PX, colour, self.skin.alarm)
            y += LINE
        stamp_y = y - LINE / 2 + 2 if inline else y + 8
        at = left + wide - PAD - stamp_width
        draw_text(draw, at, stamp_y, item.time, PLAIN, SMALL_PX, self.skin.faint, self.skin.alarm)
        return strip

    def _tapped(self, item: Tapped) -> Image.Image:
        who = f"{item.who} taps " if item.who else "taps "
        label = shortened(item.label, 250, BOLD, 12.0)
        wide = width_of(who, PLAIN, 12.0) + width_of(label, BOLD, 12.0) + 20
        strip, draw = self._strip(30)
        left = SCREEN - 8 - wide
        outline(draw, left, 4, wide, 22, 11, self.skin.faint)
        draw_text(draw, left + 10, 15, who, PLAIN, 12.0, self.skin.faint, self.skin.alarm)
        at = left + 10 + width_of(who, PLAIN, 12.0)
        draw_text(draw, at, 15, label, BOLD, 12.0, self._ink(), self.skin.alarm)
        return strip

    def _toast(self, text: str) -> Image.Image:
        self.findings.lacking |= lacking(text)
        lines = set_lines([Run(text, PLAIN)], 270, 13.0)
        wide, height = max(line.width for line in lines) + 28, 17.0 * len(lines) + 14
        strip, draw = self._strip(height + 8)
        left = (SCREEN - wide) / 2
        box(draw, left, 4, wide, height, 12, (58, 66, 76))
        for number, line in enumerate(lines):
            for piece in line.pieces:
                y = 4 + 7 + 17 * number + 8.5
                draw_text(draw, left + 14 + piece.x, y, piece.text, PLAIN, 13.0, (255, 255, 255), self.skin.alarm)
        return strip

    def _note(self, text: str) -> Image.Image:
        lines = set_lines([Run(text, Style(bold=True))], 300, 11.5)
        wide, height = max(line.width for line in lines) + 22, 16.0 * len(lines) + 8
        strip, draw = self._strip(height + 12)
        left = (SCREEN - wide) / 2
        box(draw, left, 6, wide, height, 12, self.skin.bar)
        for number, line in enumerate(lines):
            for piece in line.pieces:
                y = 6 + 4 + 16 * number + 8
                draw_text(draw, left + 11 + piece.x, y, piece.text, piece.style, 11.5, self.skin.faint, self.skin.alarm)
        return strip

    def _offers(self, item: Offered) -> Image.Image:
        """The list above the keyboard, each result with its title and one line of description."""
        skin, row = self.skin, 50.0
        strip, draw = self._strip(34 + row * len(item.results) + 8)
        draw.rectangle((0, 0, SCREEN * SCALE, strip.height - 8 * SCALE), fill=skin.bar)
        at = (SCREEN - width_of(item.above, PLAIN, 13.0)) / 2
        draw_text(draw, at, 17, item.above, PLAIN, 13.0, skin.link, skin.alarm)
        for number, (title, description) in enumerate(item.results):
            y = 34 + row * number
            box(draw, 10, y + 4, 42, 42, 5, skin.code)
            draw_text(draw, 24, y + 25, title[:1], BOLD, 18, skin.link, skin.alarm)
            words = shortened(title, SCREEN - 72, BOLD, TEXT_PX)
            draw_text(draw, 62, y + 15, words, BOLD, TEXT_PX, skin.text, skin.alarm)
            words = shortened(description, SCREEN - 72, PLAIN, 12.0)
            draw_text(draw, 62, y + 34, words, PLAIN, 12.0, skin.faint, skin.alarm)
        return strip

    def _lock_screen(self, message: Message) -> Image.Image:
        """The notification of a locked phone: the name, and of the text what two lines hold."""
        skin, first = self.skin, bare(message.text).strip().partition("\n")[0]
        lines = set_lines([Run(first, PLAIN)], SCREEN - 24 - 62, 13.2)
        if len(lines) > 2:
            self.findings.cut_headlines.append(first)
        shown = ["".join(piece.text for piece in line.pieces).strip() for line in lines[:2]]
        if len(lines) > 2:
            shown[1] = shortened(f"{shown[1]} {'.' * 60}", SCREEN - 24 - 62, PLAIN, 13.2).rstrip(".… ") + "…"
        height = 30 + 18 * len(shown) + 6
        strip, draw = self._strip(height + 14)
        draw.rectangle((0, 0, SCREEN * SCALE, (height + 10) * SCALE), fill=skin.lock)
        box(draw, 10, 5, SCREEN - 20, height, 16, skin.card)
        box(draw, 20, 14, 28, 28, 7, skin.link)
        draw_text(draw, 29, 28, "L", BOLD, 15, (255, 255, 255), skin.alarm)
        draw_text(draw, 58, 19, "Liqwatch", BOLD, 13.0, skin.text, skin.alarm)
        when = "now, silent" if message.silent else "now"
        at = SCREEN - 22 - width_of(when, PLAIN, 11.0)
        draw_text(draw, at, 19, when, PLAIN, 11.0, skin.faint, skin.alarm)
        for number, line in enumerate(shown):
            draw_text(draw, 58, 38 + 18 * number, line, PLAIN, 13.2, skin.text, skin.alarm)
        if len(lines) > 2:
            box(draw, SCREEN - 16, 32 + 18, 4, 14, 1, skin.alarm)
        return strip

    def _silent(self, draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
        """A bell that is struck through."""
        bell = [
            (x + 2, y + 3),
            (x + 3.5, y + 1),
            (x + 3.5, y - 2),
            (x + 6, y - 4.5),
            (x + 8.5, y - 2),
            (x + 8.5, y + 1),
            (x + 10, y + 3),
        ]
        draw.polygon([(px * SCALE, py * SCALE) for px, py in bell], fill=self.skin.faint)
        draw.line(
            ((x + 1) * SCALE, (y - 5) * SCALE, (x + 11) * SCALE, (y + 5) * SCALE), fill=self.skin.faint, width=SCALE
        )

    def _strip(self, height: float) -> tuple[Image.Image, ImageDraw.ImageDraw]:
        strip = Image.new("RGB", (SCREEN * SCALE, round(height * SCALE)), self.skin.wall)
        return strip, ImageDraw.Draw(strip)

    def _ink(self) -> Colour:
        """The colour of words that stand on the wall itself."""
        return self.skin.text


def _keyboard_width(message: Message) -> float:
    """How wide a keyboard would be with every label whole."""
    widest = 0.0
    for row in message.buttons:
        label = max(width_of(key.text, BOLD, KEY_PX) for key in row)
        widest = max(widest, len(row) * (label + 20) + 4 * (len(row) - 1))
    return widest


def _is_command(text: str) -> bool:
    """Whether Telegram makes this word a link by itself."""
    return len(text) > 1 and text[0] == "/" and text[1:].split("@")[0].rstrip(".,:").replace("_", "").isalnum()
