"""What a turn asks for, told from its words or its button alone: which command, and whether it changes anything."""

import re

from bot.telegram.callbacks import unpack
from bot.telegram.commands.rule_edit import NUMBERED
from bot.telegram.texts import seen, sound
from bot.telegram.turn import Inbound

COMMANDS = (
    "watch",
    "rules",
    "map",
    "heatmap",
    "history",
    "clusters",
    "position",
    "stop",
    "levels",
    "cascade",
    "pulse",
    "scan",
    "unwatch",
    "quiet",
    "mute",
    "why",
    "stats",
    "status",
    "settings",
    "channel",
    "mydata",
    "forgetme",
    "privacy",
    "about",
    "help",
    "start",
)
CHANGING_COMMANDS = frozenset({"watch", "edit", "unwatch", "quiet", "mute", "mydata", "forgetme"})
CHANGING_WITH_A_VALUE = frozenset({"settings"})
"""Commands that show when they stand alone."""

CHANGING_TAPS = frozenset(
    {
        *("wp", "wt", "s", "x", "xe", "u", "ub", "ua", "um", "us", "rx", "ru", "rs", "rw", "z", "zw", "e"),
        *("mu", "qm", "qo", "qc", "ss", "sz", "fy"),
        *("pe", "pz", "ph", "pm", "pn", "wu", "lw"),
    }
)
PERSONAL = frozenset({"start", "help", "about", "status", "admin", "channel", "mydata", "forgetme", "privacy"})
"""Commands that are a person's own, also while they speak for a channel."""

WATCHING = frozenset({"wp", "wt", "wu", "lw", "s", "pm", "pn"})
"""Verbs that make a rule."""

COMMAND = re.compile(r"/(\w+)(?:@\w+)?\s*(.*)", re.DOTALL)


def makes_rule(inbound: Inbound) -> bool:
    """Whether this turn asks for a watch rule."""
    return asked(inbound) in (WATCHING if inbound.callback_data is not None else {"watch"})


def changes(inbound: Inbound) -> bool:
    """Whether this turn is one that only those may take who may change the chat's rules."""
    changing = CHANGING_TAPS if inbound.callback_data is not None else CHANGING_COMMANDS | CHANGING_WITH_A_VALUE
    return asked(inbound) in changing


def asked(inbound: Inbound) -> str:
    """The verb of a tapped button; of a typed line its command or first word."""
    if inbound.callback_data is not None:
        return unpack(sound(inbound.callback_data)).verb
    text = seen(inbound.text or "")
    if NUMBERED.fullmatch(text):
        return "edit"
    command = COMMAND.fullmatch(text)
    return (command[1] if command else text.partition(" ")[0]).lower()
