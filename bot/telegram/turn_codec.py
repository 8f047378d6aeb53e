"""Actions as JSON, for a turn that a crash may cut short."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.delivery.messenger import Button, Message
from bot.telegram.turn import Action, Edit, Reply, Toast

_KINDS: dict[str, type[Reply] | type[Edit] | type[Toast]] = {"reply": Reply, "edit": Edit, "toast": Toast}


def actions_to_json(actions: Sequence[Action]) -> str | None:
    """The actions as text; None where one carries a picture: what shows a map changes nothing, and is asked again."""
    messages = [action.message for action in actions if not isinstance(action, Toast)]
    if any(message.photo is not None for message in messages):
        return None
    return json.dumps([{"do": type(action).__name__.lower()} | asdict(action) for action in actions])


def actions_from_json(text: str) -> list[Action]:
    """What was stored. Raises ValueError, TypeError or KeyError where another version wrote it otherwise."""
    return [_action(item) for item in json.loads(text)]


def _action(item: dict[str, Any]) -> Action:
    kind = _KINDS[item.pop("do")]
    if "message" in item:
        fields = item["message"]
        rows = tuple(tuple(Button(**button) for button in row) for row in fields["buttons"])
        item["message"] = Message(**{**fields, "buttons": rows})
    return kind(**item)
