"""The catalogue: every text a user sees, one TOML file per language, with plurals and safe insertion.

A key is a dotted path (`rules.title`). An entry is a text with named fields (`"{symbol} is not known"`), or a table
of CLDR plural categories that a field called `n` chooses from. What is inserted is escaped for Telegram's HTML,
unless it is `Html` already, as every rendered text is.
"""

import html
import re
import string
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.numbers import format_decimal

from bot.alerts.preferences import Preferences, Units
from bot.telegram.texts.figures import Figures, Moment
from bot.telegram.texts.zones import zone_chosen

FALLBACK = "en"
_TAG = re.compile(r"<[^<>]*>")
PLURALS = frozenset({"zero", "one", "two", "few", "many", "other"})


class Html(str):
    """A text that is Telegram's HTML already and goes in as it stands."""

    __slots__ = ()


def sound(text: str) -> str:
    """A text that any database takes: half a surrogate pair, which JSON lets through, becomes a question mark, and NUL,
    which PostgreSQL refuses, goes.
    """
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def seen(text: str) -> str:
    """What a person sees of a typed text: its line breaks, but nothing of no width, and no blanks around it."""
    if text.isascii():
        return text.replace("\0", "").strip()
    return "".join(c for c in sound(text) if unicodedata.category(c) != "Cf").strip()


@lru_cache(maxsize=4_096)
def escape(value: str) -> Html:
    """A person's text made safe: no markup, no control characters, no half surrogates."""
    if value.isascii() and value.isprintable():
        return Html(html.escape(value, quote=False))
    return Html(
        html.escape("".join(c for c in sound(value) if unicodedata.category(c) not in {"Cc", "Cf"}), quote=False)
    )


class CatalogueError(Exception):
    """A catalogue file that cannot be used; the text names the file and the key."""


class Texts:
    """All texts of one language. Call it with a key for HTML, `label` for a button or a toast, which know no markup.

    `in_shares` tells whether their reader wants sizes as shares and not in USD, `elsewhere` whether nobody knows in
    which zones they are read.
    """

    def __init__(
        self,
        language: str,
        entries: Mapping[str, Mapping[str, str]],
        *,
        zone: tzinfo = UTC,
        in_shares: bool = False,
        elsewhere: bool = True,
    ) -> None:
        self.language = language
        self.locale = Locale.parse(language, sep="-")
        self.entries = entries
        self._single = {key: forms["other"] for key, forms in entries.items() if len(forms) == 1}
        self.in_shares = in_shares
        self._readers: dict[tuple[tzinfo, bool, bool], Texts] = {}  # what is put into words once is kept by its texts
        self.figures = Figures(
            self.locale,
            money={name: entries[f"money.{name}"]["other"] for name in ("pattern", "thousand", "million", "billion")},
            zone=zone,
            elsewhere=elsewhere,
        )

    def read_by(self, preferences: Preferences, *, shared: bool = False) -> "Texts":
        """The same texts with times and sizes as a chat prefers them; a `shared` one has readers in many zones."""
        in_shares = preferences.units is Units.SHARE
        if not preferences.zone and not in_shares:
            return self
        zone, elsewhere = zone_chosen(preferences), shared or not preferences.zone
        kept = self._readers.get((zone, in_shares, elsewhere))
        if kept is None:
            kept = Texts(self.language, self.entries, zone=zone, in_shares=in_shares, elsewhere=elsewhere)
            self._readers[zone, in_shares, elsewhere] = kept
        return kept

    @property
    def manner(self) -> str:
        """Names all by which these texts differ from others: their language, zone and units."""
        return f"{self.language}:{self.figures.zone}:{Units.SHARE if self.in_shares else Units.USD}"

    def __call__(self, key: str, /, **values: str | int) -> Html:
        """The text of `key` as HTML, every value escaped that is not `Html`. Raises KeyError for an unknown key."""
        template = self._single.get(key) or self._template(key, values.get("n"))
        for name, value in values.items():
            if type(value) is not Html:
                values[name] = escape(value) if type(value) is str else self._html(value)
        return Html(template.format_map(values))

    def label(self, key: str, /, **values: str | int) -> str:
        """The text of `key` as plain text, for buttons and toasts: what is inserted loses its markup."""
        plain = {name: html.unescape(_TAG.sub("", self._html(value))) for name, value in values.items()}
        return self._template(key, values.get("n")).format_map(plain)

    def of(self, family: str, member: str, /, **values: str | int) -> Html:
        """The text of `family.member`, or `family.other` where the catalogue knows no such member."""
        key = f"{family}.{member}"
        return self(key if key in self.entries else f"{family}.other", **values)

    def sentences(self, parts: Iterable[Html]) -> Html:
        """Sentences one after the other, with what the language puts between them."""
        return Html(self.entries["sentence.join"]["other"].join(parts))

    def _html(self, value: str | int) -> str:
        if isinstance(value, Html):
            return value
        if isinstance(value, Moment):
            return f'<tg-time unix="{value.unix_s}" format="{value.form}">{escape(value)}</tg-time>'
        return escape(value) if isinstance(value, str) else format_decimal(value, locale=self.locale)

    def _template(self, key: str, n: str | int | None) -> str:
        forms = self.entries[key]
        form = self.locale.plural_form(n) if isinstance(n, int) else "other"
        return forms.get(form) or forms["other"]


class Catalogue:
    """The languages there are."""

    def __init__(self, languages: Mapping[str, Texts]) -> None:
        self.languages = languages

    @classmethod
    def load(cls, folder: Path | None = None) -> "Catalogue":
        """Read every `<language>.toml` of a folder; English tells which entries count things. Raises CatalogueError."""
        paths = {path.stem: path for path in sorted((folder or Path(__file__).parent).glob("*.toml"))}
        fallback = read_texts(paths.pop(FALLBACK))
        counted = {key for key, forms in fallback.entries.items() if set(forms) != {"other"}}
        others = {name: read_texts(path, counted=counted) for name, path in paths.items()}
        return cls({FALLBACK: fallback, **others})

    @staticmethod
    def english() -> Texts:
        """English alone, read without the other languages."""
        return read_texts(Path(__file__).parent / f"{FALLBACK}.toml")

    def texts(self, language: str | None) -> Texts:
        """The texts for a client's language (`"pt-br"`), by its first part where none matches, else English."""
        wanted = (language or FALLBACK).lower().replace("_", "-")
        named = {name.lower(): texts for name, texts in self.languages.items()}
        if wanted in named:
            return named[wanted]
        root = wanted.split("-")[0]
        return next((texts for name, texts in named.items() if name.split("-")[0] == root), named[FALLBACK])


def read_texts(path: Path, *, counted: Collection[str] = ()) -> Texts:
    """One language from its file. Raises CatalogueError where a template has a field that is no plain name.

    `counted` are the keys that have plurals in another language: in this one they may have one form alone.
    """
    with path.open("rb") as file:
        entries = dict(flatten(tomllib.load(file), counted=counted))
    for key, forms in entries.items():
        for template in forms.values():
            try:
                fields(template)
            except ValueError as error:
                raise CatalogueError(f"{path.name}: {key}: {error}") from error
    return Texts(path.stem, entries)


def flatten(
    table: Mapping[str, Any], prefix: str = "", *, counted: Collection[str] = ()
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(dotted key, plural forms) of every entry of a nested table; an entry without plurals has the form `other`."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, str):
            yield key, {"other": value}
        elif "other" in value and set(value) <= PLURALS and ("one" in value or key in counted):
            yield key, value
        else:
            yield from flatten(value, f"{key}.", counted=counted)


def fields(template: str) -> frozenset[str]:
    """The names of a template's fields. Raises ValueError for anything but plain names."""
    names = set()
    for _, name, spec, conversion in string.Formatter().parse(template):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"{{{name}}} is no plain field")
        names.add(name)
    return frozenset(names)
