"""The shape of an answer: keys and types, with a list as the shape of its first entry."""

from typing import Any


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(entry) for key, entry in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__
