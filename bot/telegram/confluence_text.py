"""What else stands where a cluster stands, in words: "a high-volume node and 2 swing lows"."""

from collections.abc import Sequence

from babel.lists import format_list

from bot.liquidation.types import Feature, Mark
from bot.telegram.texts import Html, Texts

SIGN = "\N{BLACK DIAMOND}"
"""Stands beside a cluster where there is no room for words."""

_COUNTED = frozenset({Feature.SWING_LOW, Feature.SWING_HIGH})


def features_words(marks: Sequence[Mark], texts: Texts) -> Html:
    """The features as a list in a sentence; empty where there are none."""
    return Html(format_list([_words(mark, texts) for mark in marks], locale=texts.locale) if marks else "")


def _words(mark: Mark, texts: Texts) -> Html:
    name = f"confluence.{mark.feature}"
    return texts(name, n=mark.times) if mark.feature in _COUNTED else texts(name)
