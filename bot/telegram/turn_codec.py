"""Actions as JSON, for a turn that a crash may cut short."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.turn import Action, Edit, Reply, Toast

_KINDS: dict[str, type[Reply] | type[Edit] | type[Toast]] = {"reply": Reply, "edit": Edit, "toast": Toast}


def actions_to_json(actions: Sequence[Action]) -> str | None:
    """The actions as text; None where the first message is a picture or a file: showing changes nothing, and is asked
    again. A picture that follows a text, as a sample does a first rule, is left out of its message.
    """
    messages = [action.message for action in actions if not isinstance(action, Toast)]
    if messages and (messages[0].photo is not None or messages[0].document is not None):
        return None
    return json.dumps([{"do": type(action).__name__.lower()} | asdict(_without_picture(action)) for action in actions])


def _without_picture(action: Action) -> Action:
    if isinstance(action, Toast) or action.message.photo is None:
        return action
    return replace(action, message=replace(action.message, photo=None, photo_name=None))


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
