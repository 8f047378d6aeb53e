"""The languages to choose from, each by its own name."""

from collections.abc import Sequence

from bot.telegram.scene import Scene
from bot.telegram.texts import Texts

CLIENT = ""
"""Kept where a chat leaves the choice to its client."""


def language_choices(scene: Scene) -> Sequence[tuple[str, str]]:
    """(the catalogue's name, its own name) of every language, the client's own first."""
    languages = scene.catalogue.languages.items()
    return [
        (CLIENT, scene.texts.label("language.client")),
        *((name, language_name(texts)) for name, texts in languages),
    ]


def language_name(texts: Texts) -> str:
    """A language as its speakers call it: `English`, `Русский`."""
    name = texts.locale.get_language_name(texts.locale) or texts.language
    return name[:1].upper() + name[1:]
