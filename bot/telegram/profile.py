"""How the bot introduces itself in Telegram: the menus of commands and the texts before the first message."""

import logging
from collections.abc import Sequence

from telegram import BotCommand

from bot.delivery.messenger import ChatGoneError, DeliveryError, NotSentError
from bot.telegram.connection import Line
from bot.telegram.errors import translated
from bot.telegram.menus import Menu
from bot.telegram.texts import FALLBACK, Catalogue, Texts

_log = logging.getLogger(__name__)


async def introduce(line: Line, catalogue: Catalogue, menus: Sequence[Menu], *, describe: bool) -> bool:
    """Set each menu, in each language, where it reads otherwise; with `describe` the two descriptions as well.

    Best effort: a refusal is logged. Servers other than Telegram's own may lack the descriptions. False where the
    server could not be asked, so that it is worth trying again.
    """
    for language, texts in catalogue.languages.items():
        code = None if language == FALLBACK else language.split("-")[0]
        try:
            for menu in menus:
                await _set_menu(line, texts, menu, code)
            if describe:
                await _describe(line, texts, code)
        except NotSentError:
            return False
        except DeliveryError as error:
            _log.warning("the bot could not introduce itself", extra={"language": language, "reason": error})
    return True


async def _set_menu(line: Line, texts: Texts, menu: Menu, code: str | None) -> None:
    """Set one menu; that of a chat which never spoke to the bot has to wait for the next start."""
    commands = tuple(BotCommand(name, texts.label(f"command.{name}")) for name in menu.commands)
    scope = menu.scope
    try:
        if await translated(line.get_my_commands(scope=scope, language_code=code), token=line.token) != commands:
            await translated(line.set_my_commands(commands, scope=scope, language_code=code), token=line.token)
    except ChatGoneError as error:
        _log.info("a menu could not be set", extra={"scope": menu.scope.type, "reason": error})


async def _describe(line: Line, texts: Texts, code: str | None) -> None:
    about, short = texts.label("profile.description"), texts.label("profile.short")
    known = await translated(line.get_my_description(language_code=code), token=line.token)
    if known.description != about:
        await translated(line.set_my_description(about, language_code=code), token=line.token)
    known_short = await translated(line.get_my_short_description(language_code=code), token=line.token)
    if known_short.short_description != short:
        await translated(line.set_my_short_description(short, language_code=code), token=line.token)
