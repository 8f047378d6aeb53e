"""Which commands Telegram offers where: all in private, a few in groups, more to a group's admins."""

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import (
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeChat,
    BotCommandScopeDefault,
)

from bot.telegram.asking import CHANGING_COMMANDS, CHANGING_WITH_A_VALUE, COMMANDS

IN_GROUPS = ("map", "clusters", "rules", "why", "help")
"""What a group's members use; the others work there too."""

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Menu:
    """The commands of one scope, in the order in which they are shown."""

    scope: BotCommandScope
    commands: Sequence[str]


def menus(operators: Sequence[int]) -> Sequence[Menu]:
    """Every menu; a chat is shown the one that fits it most closely. `operators` have /admin in their private chats."""
    changing = CHANGING_COMMANDS | CHANGING_WITH_A_VALUE
    for_admins = tuple(name for name in COMMANDS if name in IN_GROUPS or name in changing)
    return (
        Menu(BotCommandScopeDefault(), COMMANDS),
        Menu(BotCommandScopeAllGroupChats(), IN_GROUPS),
        Menu(BotCommandScopeAllChatAdministrators(), for_admins),
        *(Menu(BotCommandScopeChat(operator), (*COMMANDS, ADMIN)) for operator in operators),
    )
