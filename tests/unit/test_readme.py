"""What the README names is there: files, sections, commands, targets, settings."""

import re
from pathlib import Path

import typer

from bot.cli import app
from bot.settings import Settings
from bot.telegram.asking import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TYPED_ONLY = {"edit", "admin"}
"""Commands that no menu of Telegram's offers to everybody."""

NO_SETTINGS = {"EXTRA", "DIR", "FILE", "TIME", "NAME", "AT_MAPS", "AT_TICKS", "CLIENTS", "JUDGES", "NAME_API_URL"}
OF_OTHERS = {"HEALTHCHECK", "READY", "WATCHDOG", "SIGTERM", "LIQWATCH"}


def anchor(title: str) -> str:
    """A section's address, as its title gives it."""
    return re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")


def test_every_link_leads_somewhere() -> None:
    sections = {anchor(title) for title in re.findall(r"(?m)^#+ (.+)$", README)}
    links = re.findall(r"\]\(([^)\s]+)\)", README)
    assert len(links) > 15
    for link in links:
        if link.startswith("#"):
            assert link[1:] in sections, link
        elif not link.startswith("http"):
            assert (ROOT / link).exists(), link


def test_every_command_of_the_terminal_is_one_and_none_is_left_out() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"(?:`|(?m:^\$? ?)|bin/)liqwatch ([a-z]+)", README))
    assert named - {"runs"} <= commands, "what the log says is no command"
    assert commands - named <= {"score"}, "told of with replay"


def test_every_command_of_the_bot_is_one_and_none_is_left_out() -> None:
    named = set(re.findall(r"`/([a-z]+)", README))
    known = {*COMMANDS, *TYPED_ONLY}
    assert named - known <= {"setinline", "newbot", "data", "healthz", "metrics"}
    assert known <= named


def test_every_target_of_make_is_one() -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", MAKEFILE))
    assert set(re.findall(r"`make ([a-z-]+)", README)) <= targets
    phony = re.search(r"(?m)^\.PHONY: (.+)$", MAKEFILE)
    assert phony is not None
    assert {name for name in phony[1].split() if f"make {name}" not in README} <= {"clean"}


def test_every_setting_that_is_named_is_one() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    named = set(re.findall(r"`([A-Z]+_[A-Z_]+)\b", README)) - NO_SETTINGS - OF_OTHERS
    assert named <= settings, named - settings
