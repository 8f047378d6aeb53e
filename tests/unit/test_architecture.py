"""The design's arrows: who may import whom, read from the source."""

import ast
from pathlib import Path

import pytest

BOT = Path(__file__).resolve().parents[2] / "bot"

MAY_IMPORT = {
    "liquidation": {"liquidation"},
    "alerts": {"alerts", "liquidation"},
    "market": {"market", "liquidation", "clock"},
    "charts": {"charts", "alerts", "liquidation"},
    "storage": {"storage", "market", "alerts", "liquidation"},
    "delivery": {"delivery", "storage", "alerts", "liquidation", "clock"},
    "telegram": {"telegram", "delivery", "storage", "alerts", "liquidation", "clock"},
    "evaluation": {"evaluation", "market", "alerts", "liquidation"},
}
ONLY_HOME = {
    "httpx": "market",
    "websockets": "market",
    "sqlalchemy": "storage",
    "alembic": "storage",
    "psycopg": "storage",
    "pgqueuer": "storage",
    "telegram": "telegram",
    "matplotlib": "charts",
}
PURE = {"liquidation", "alerts"}
WORLD = {"time", "datetime", "os", "io", "pathlib", "socket", "asyncio", "random", "secrets", "logging", "threading"}


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the arrows"
            names.add(node.module or "")
    return names


def files() -> list[Path]:
    return sorted(BOT.rglob("*.py"))


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(BOT)))
def test_each_room_imports_only_what_its_arrows_allow(path: Path) -> None:
    parts = path.relative_to(BOT).parts
    room = parts[0] if len(parts) > 1 else "app"
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top == "bot" and rest and room in MAY_IMPORT:
            assert rest[0] in MAY_IMPORT[room], f"bot.{room} must not import {name}"
        if top in ONLY_HOME:
            assert room == ONLY_HOME[top], f"only bot.{ONLY_HOME[top]} imports {top}"
        if room in PURE:
            assert top not in WORLD, f"bot.{room} is pure: no {name}"


def test_the_pure_rooms_are_there() -> None:
    rooms = {path.relative_to(BOT).parts[0] for path in files()}
    assert rooms >= PURE
