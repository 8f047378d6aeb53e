"""Telegram's limits on what a bot sends, each refused in the server's words."""

import json
import struct
from typing import Any

from tests.fakes.bot_api.html import Parsed, parse, units
from tests.fakes.bot_api.refusal import Refusal, bad_request

TEXT_UNITS = 4096
CAPTION_UNITS = 1024
PHOTO_BYTES = 10 * 1024 * 1024
DOCUMENT_BYTES = 50_000_000
_ACTIONS = {"callback_data", "url", "copy_text", "web_app", "switch_inline_query", "login_url", "pay"}


def read_text(html: str, parse_mode: str | None) -> Parsed:
    """A message's text, 1-4096 units after parsing."""
    parsed = _read(html, parse_mode)
    if not parsed.text:
        raise bad_request("message text is empty")
    if units(parsed.text) > TEXT_UNITS:
        raise bad_request("message is too long")
    return parsed


def read_caption(html: str, parse_mode: str | None) -> Parsed:
    """A caption, 0-1024 units after parsing."""
    parsed = _read(html, parse_mode)
    if units(parsed.text) > CAPTION_UNITS:
        raise bad_request("message caption is too long")
    return parsed


def _read(html: str, parse_mode: str | None) -> Parsed:
    if parse_mode is None:
        return Parsed(html.strip())
    if parse_mode.lower() != "html":
        raise bad_request("unsupported parse_mode")
    return parse(html)


def read_keyboard(markup: Any) -> list[list[dict[str, Any]]]:
    """Rows of inline buttons: at most 100, 8 a row, callback data of 1-64 bytes."""
    if markup is None:
        return []
    if not isinstance(markup, dict) or not isinstance(markup.get("inline_keyboard"), list):
        raise bad_request("object expected as reply markup")
    rows: list[list[dict[str, Any]]] = [row for row in markup["inline_keyboard"] if row]
    if sum(map(len, rows)) > 100 or any(len(row) > 8 for row in rows):
        raise bad_request("reply markup is too long")
    for row in rows:
        for button in row:
            _check_button(button)
    return rows


def _check_button(button: dict[str, Any]) -> None:
    if not str(button.get("text", "")).strip():
        raise bad_request("text buttons are unallowed in the inline keyboard")
    actions = set(button) & _ACTIONS
    if len(actions) != 1:
        raise bad_request("text buttons are unallowed in the inline keyboard")
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "copy_text" in button and not 1 <= units(button["copy_text"]["text"]) <= 256:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    if "url" in button and not button["url"].startswith(("https://", "http://", "tg://")):
        raise bad_request("BUTTON_URL_INVALID")


def check_document(data: bytes) -> None:
    """A file that may be sent: not empty, and no larger than a bot may upload."""
    if not data:
        raise bad_request("file must be non-empty")
    if len(data) > DOCUMENT_BYTES:
        raise Refusal(413, "Request Entity Too Large")


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG small enough for a photo."""
    if len(data) > PHOTO_BYTES:
        limit = f"the maximum size is {PHOTO_BYTES} bytes"
        raise bad_request(f"file of size {len(data)} bytes is too big for a photo; {limit}")
    if data[:8] != b"\x89PNG\r\n\x1a\n" or len(data) < 33:
        raise bad_request("IMAGE_PROCESS_FAILED")
    width, height = struct.unpack(">II", data[16:24])
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    return width, height


def read_json(value: Any, name: str) -> Any:
    """A parameter that is a JSON object or list, perhaps still as text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise bad_request(f"can't parse {name} JSON object") from None


def read_int(value: Any, missing: str) -> int:
    """A whole number, perhaps as text."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_request(missing) from None


def read_flag(value: Any) -> bool:
    return value in (True, "true", "True", "1", 1)


def too_many(seconds: int) -> Refusal:
    return Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
