"""How much a program holds: the length of every container that can be reached from its objects."""

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

_CONTAINERS = (dict, list, set, frozenset, deque, tuple)


def census(roots: Iterable[object], *, package: str = "bot") -> Counter[str]:
    """Lengths by `Class.attribute`, summed over all instances of the package's classes that the roots lead to."""
    held: Counter[str] = Counter()
    seen: set[int] = set()
    waiting: list[tuple[str, Any]] = [("root", list(roots))]
    while waiting:
        name, value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, _CONTAINERS):
            held[name] += len(value)
            values = value.values() if isinstance(value, dict) else value
            waiting += [(name, one) for one in values if isinstance(one, _CONTAINERS) or _is_ours(one, package)]
        elif _is_ours(value, package):
            waiting += [(f"{type(value).__name__}.{key}", one) for key, one in _attributes(value)]
    return held


def _is_ours(value: object, package: str) -> bool:
    return type(value).__module__.partition(".")[0] == package


def _attributes(value: object) -> list[tuple[str, Any]]:
    slots = [key for kind in type(value).__mro__ for key in getattr(kind, "__slots__", ())]
    found = [(key, getattr(value, key)) for key in slots if hasattr(value, key)]
    return [*found, *getattr(value, "__dict__", {}).items()]
