"""Telegram's limits on the answer to an inline query."""

import re
from collections.abc import Container
from typing import Any

from tests.fakes.bot_api import checks
from tests.fakes.bot_api.refusal import bad_request

MOST_RESULTS = 50
ID_BYTES = 64
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def check_results(results: Any, pictures: Container[str]) -> None:
    """At most 50 results with ids of their own of 1-64 bytes, each a text or a picture that the server has."""
    if not isinstance(results, list):
        raise bad_request("can't parse inline query results: Expected an Array of InlineQueryResult")
    if len(results) > MOST_RESULTS:
        raise bad_request("RESULTS_TOO_MUCH")
    names = [str(result.get("id", "")) for result in results]
    if any(not 1 <= len(name.encode()) <= ID_BYTES for name in names):
        raise bad_request("RESULT_ID_INVALID")
    if len(set(names)) != len(names):
        raise bad_request("RESULT_ID_DUPLICATE")
    for result in results:
        checks.read_keyboard(result.get("reply_markup"))
        _CHECKS.get(result.get("type"), _unknown)(result, pictures)


def check_button(button: Any) -> None:
    """The button above the results: a text, and where it leads."""
    if button is None:
        return
    if not str(button.get("text", "")).strip():
        raise bad_request("can't parse InlineQueryResultsButton: text is empty")
    if len({"web_app", "start_parameter"} & set(button)) != 1:
        raise bad_request("exactly one of the fields web_app and start_parameter must be used")
    if not _PAYLOAD.fullmatch(button.get("start_parameter", "x")):
        raise bad_request("START_PARAM_INVALID")


def _article(result: dict[str, Any], pictures: Container[str]) -> None:
    content = result.get("input_message_content") or {}
    if not result.get("title"):
        raise bad_request("article title can't be empty")
    checks.read_text(content.get("message_text", ""), content.get("parse_mode"))


def _photo(result: dict[str, Any], pictures: Container[str]) -> None:
    if result.get("photo_file_id") not in pictures:
        raise bad_request("wrong file identifier/HTTP URL specified")
    checks.read_caption(result.get("caption", ""), result.get("parse_mode"))


def _unknown(result: dict[str, Any], pictures: Container[str]) -> None:
    raise bad_request("can't parse inline query result: Type of the result is unknown")


_CHECKS = {"article": _article, "photo": _photo}
