"""How the bot introduces itself in Telegram: the menu of commands and the texts before the first message."""

import logging
from collections.abc import Sequence

from telegram import BotCommand

from bot.delivery.messenger import DeliveryError, NotSentError
from bot.telegram.connection import Line
from bot.telegram.errors import translated
from bot.telegram.texts import FALLBACK, Catalogue, Texts

_log = logging.getLogger(__name__)


async def introduce(line: Line, catalogue: Catalogue, commands: Sequence[str], *, describe: bool) -> bool:
    """Set the menu, in each language, where it reads otherwise; with `describe` the two descriptions as well.

    Best effort: a refusal is logged. Servers other than Telegram's own may lack the descriptions. False where the
    server could not be asked, so that it is worth trying again.
    """
    for language, texts in catalogue.languages.items():
        code = None if language == FALLBACK else language.split("-")[0]
        try:
            await _set_menu(line, texts, commands, code)
            if describe:
                await _describe(line, texts, code)
        except NotSentError:
            return False
        except DeliveryError as error:
            _log.warning("the bot could not introduce itself", extra={"language": language, "reason": error})
    return True


async def _set_menu(line: Line, texts: Texts, commands: Sequence[str], code: str | None) -> None:
    menu = tuple(BotCommand(name, texts.label(f"command.{name}")) for name in commands)
    if await translated(line.get_my_commands(language_code=code), token=line.token) != menu:
        await translated(line.set_my_commands(menu, language_code=code), token=line.token)


async def _describe(line: Line, texts: Texts, code: str | None) -> None:
    about, short = texts.label("profile.description"), texts.label("profile.short")
    known = await translated(line.get_my_description(language_code=code), token=line.token)
    if known.description != about:
        await translated(line.set_my_description(about, language_code=code), token=line.token)
    known_short = await translated(line.get_my_short_description(language_code=code), token=line.token)
    if known_short.short_description != short:
        await translated(line.set_my_short_description(short, language_code=code), token=line.token)
