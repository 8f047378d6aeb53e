"""`make screens`: every screen of the scripted day in all languages, as contact sheets under screens/."""

import argparse
import asyncio
import sys
from pathlib import Path

from bot.telegram.texts import Catalogue
from tests.screens.day import DAY, Part
from tests.screens.drawing import Findings
from tests.screens.faces import has_chinese
from tests.screens.items import Item
from tests.screens.sheet import write_sheets
from tests.screens.skin import DARK, LIGHT, SKINS
from tests.screens.stage import Stage, open_stage

TITLES = {"supergroup": "Traders", "channel": "Crypto News"}


async def play(stage: Stage, part: Part) -> list[Item]:
    """One part of the day, as it stands on the phone at its end."""
    chat = stage.open_chat(part.kind, part.user)
    await part.play(chat)
    await stage.close_chat(chat)
    return chat.items


async def write_language(language: str, folder: Path, *, only: set[str], skin: str | None) -> None:
    """The sheets of one language, and what on them a reader should look at."""
    async with open_stage(language) as stage:
        for part in DAY:
            if only and part.name not in only:
                continue
            chosen = SKINS[skin] if skin else LIGHT if part.light else DARK
            title = TITLES.get(part.kind, "Liqwatch")
            paths, findings = write_sheets(folder, part.name, await play(stage, part), skin=chosen, chat=title)
            for path in paths:
                say(str(path))
            for line in report(findings):
                say(f"  {line}")


def report(findings: Findings) -> list[str]:
    """What would be cut on a phone, and signs that could not be drawn."""
    return [
        *(f"cut key: {label}" for label in dict.fromkeys(findings.cut_keys)),
        *(f"first line over two lines of a lock screen: {line}" for line in dict.fromkeys(findings.cut_headlines)),
        *(f"table wider than a phone: {line}" for line in dict.fromkeys(findings.wrapped_tables)),
        *(f"no font here has U+{ord(sign):04X}" for sign in sorted(findings.lacking)),
    ]


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def main() -> None:
    known = sorted(Catalogue.load().languages)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screens"))
    parser.add_argument("--language", nargs="*", choices=known, default=known)
    parser.add_argument("--part", nargs="*", choices=[part.name for part in DAY], default=[])
    parser.add_argument("--theme", choices=sorted(SKINS))
    chosen = parser.parse_args()
    if not has_chinese():
        say("no font with Chinese characters on this machine: they are drawn as code points (fonts-noto-cjk has them)")
    for language in chosen.language:
        await write_language(language, chosen.out / language, only=set(chosen.part), skin=chosen.theme)


if __name__ == "__main__":
    asyncio.run(main())
