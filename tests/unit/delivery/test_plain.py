"""The plainest form of a message."""

import pytest

from bot.delivery.messenger import Button, Message
from bot.delivery.plain import plain


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<b>BTC</b> 1 &lt; 2 &amp; 3", "BTC 1 &lt; 2 &amp; 3"),
        ('<a href="x?a=1&amp;b=2">map</a>', "map"),
        ("a < b <i>c", "a &lt; b c"),
        ("<b>never closed", "never closed"),
        ("币安人生 🔥", "币安人生 🔥"),
    ],
)
def test_tags_go_and_the_text_stays(text: str, left: str) -> None:
    assert plain(Message(text)).text == left


def test_everything_that_a_server_may_dislike_goes() -> None:
    rich = Message("<b>x</b>", ((Button("b", "b"),),), b"png", "name", silent=True, reply_to=5)
    assert plain(rich) == Message("x", silent=True)


def test_a_text_is_cut_between_characters() -> None:
    cut = plain(Message("🔥" * 3000 + "x")).text
    assert cut == "🔥" * 2000
