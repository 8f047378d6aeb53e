"""The fake server holds Telegram's limits on the answer to an inline query."""

from typing import Any

import pytest

from tests.fakes.bot_api import inline
from tests.fakes.bot_api.refusal import Refusal

PICTURES = {"AgAC1"}


def article(name: str = "a", **changes: Any) -> dict[str, Any]:
    return {"type": "article", "id": name, "title": "BTC", "input_message_content": {"message_text": "x"}} | changes


def photo(name: str = "p", **changes: Any) -> dict[str, Any]:
    return {"type": "photo", "id": name, "photo_file_id": "AgAC1"} | changes


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ([article(str(number)) for number in range(51)], "RESULTS_TOO_MUCH"),
        ([article(""), photo()], "RESULT_ID_INVALID"),
        ([article("我" * 22)], "RESULT_ID_INVALID"),
        ([article("a"), photo("a")], "RESULT_ID_DUPLICATE"),
        ([article(title="")], "article title can't be empty"),
        ([article(input_message_content={"message_text": ""})], "message text is empty"),
        ([article(input_message_content={"message_text": "<b>x", "parse_mode": "HTML"})], "can't parse entities"),
        ([photo(photo_file_id="AgAC2")], "wrong file identifier"),
        ([photo(caption="x" * 1025)], "message caption is too long"),
        ([article(type="map")], "Type of the result is unknown"),
        ([article(reply_markup={"inline_keyboard": [[{"text": "x"}]]})], "text buttons are unallowed"),
        ({}, "Expected an Array"),
    ],
)
def test_what_no_server_takes_is_refused(results: Any, reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        inline.check_results(results, PICTURES)


@pytest.mark.parametrize(
    ("button", "reason"),
    [
        ({"text": " ", "start_parameter": "x"}, "text is empty"),
        ({"text": "x"}, "exactly one"),
        ({"text": "x", "start_parameter": ""}, "START_PARAM_INVALID"),
        ({"text": "x", "start_parameter": "a b"}, "START_PARAM_INVALID"),
        ({"text": "x", "start_parameter": "x" * 65}, "START_PARAM_INVALID"),
    ],
)
def test_a_button_above_leads_somewhere(button: dict[str, str], reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        inline.check_button(button)


def test_what_is_just_within_the_limits_passes() -> None:
    inline.check_results(
        [article(str(number)) for number in range(49)] + [photo("x" * 64, caption="x" * 1024)], PICTURES
    )
    inline.check_results([], PICTURES)
    inline.check_button(None)
    inline.check_button({"text": "x", "start_parameter": "x" * 64})
