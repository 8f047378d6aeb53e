"""/settings: everything a chat can choose, in one message whose buttons change it in place, and in one line each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.alerts.preferences import MAP_RANGES, THEMES, Preferences, Sound, Units
from bot.delivery.messenger import Button, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key
from bot.telegram.commands import quiet, zone
from bot.telegram.languages import language_choices
from bot.telegram.scene import Answer, Scene, echo, rows
from bot.telegram.texts import Html, Texts
from bot.telegram.venues import exchange_name

KEYS_A_ROW = 2
HOURS_A_ROW = 4
ALL = ""
QUIET = "quiet"
ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Setting:
    """Something to choose. `choices` are (what is kept, what its button says); `kept` and `chosen` read and change it.

    `width` is how many of its buttons stand in a row; `words` are other names that people type for it, and `meant`
    makes of what they type for a value what is kept.
    """

    name: str
    choices: Callable[[Scene], Sequence[tuple[str, str]]]
    kept: Callable[[Preferences], str]
    chosen: Callable[[Preferences, str], Preferences]
    width: int = KEYS_A_ROW
    words: frozenset[str] = frozenset()
    meant: Callable[[str], str] = str


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "language",
            language_choices,
            lambda preferences: preferences.language,
            lambda preferences, value: replace(preferences, language=value),
            words=frozenset({"lang"}),
        ),
        Setting(
            "sound",
            lambda scene: [(sound, scene.texts.label(f"sound.{sound}")) for sound in Sound],
            lambda preferences: preferences.sound,
            lambda preferences, value: replace(preferences, sound=Sound(value)),
            width=1,
            words=frozenset({"sounds", "notify"}),
        ),
        Setting(
            "digest",
            lambda _: [(f"{hour}", f"{hour:02d}:00") for hour in range(24)],
            lambda preferences: f"{preferences.digest_hour}",
            lambda preferences, value: replace(preferences, digest_hour=int(value)),
            width=HOURS_A_ROW,
            meant=lambda typed: typed.removesuffix(":00").lstrip("0") or "0",
        ),
        Setting(
            "theme",
            lambda scene: [(name, scene.texts.label(f"theme.{name}")) for name in THEMES],
            lambda preferences: preferences.theme,
            lambda preferences, value: replace(preferences, theme=value),
            words=frozenset({"pictures", "picture", "colours", "colors"}),
        ),
        Setting(
            "range",
            lambda _: [(span, span) for span in MAP_RANGES],
            lambda preferences: preferences.map_range,
            lambda preferences, value: replace(preferences, map_range=value),
            width=len(MAP_RANGES),
            words=frozenset({"map"}),
        ),
        Setting(
            "units",
            lambda scene: [(unit, scene.texts.label(f"units.{unit}")) for unit in Units],
            lambda preferences: preferences.units,
            lambda preferences, value: replace(preferences, units=Units(value)),
            words=frozenset({"unit", "sizes", "size"}),
        ),
        Setting(
            "exchange",
            lambda scene: [
                (ALL, scene.texts.label("settings.all_exchanges")),
                *((name, str(exchange_name(name, scene.texts))) for name in scene.desk.exchanges()),
            ],
            lambda preferences: preferences.exchange,
            lambda preferences, value: replace(preferences, exchange=value),
            words=frozenset({"venue"}),
        ),
    )
}
"""By name. Time zone and quiet hours have pages of their own."""

SPELLED = {
    **{word: setting.name for setting in SETTINGS.values() for word in (setting.name, *setting.words)},
    **dict.fromkeys(("zone", "timezone", "time"), ZONE),
    QUIET: QUIET,
}
"""What people type, and the setting they mean."""


async def opened(scene: Scene, name: str) -> Answer:
    """One setting's page."""
    return await quiet.shown(scene) if name == QUIET else await page(scene, name)


async def typed_settings(scene: Scene, text: str) -> Answer:
    """/settings with what was typed after it: nothing, a setting (`theme`), or a setting and its value."""
    word, _, value = text.strip().partition(" ")
    if not word:
        return await settings_answer(scene)
    name, value = SPELLED.get(word.lower()), value.strip()
    if name is None:
        return _with_fault(await settings_answer(scene), scene.texts("settings.unknown", typed=echo(word)))
    if not value:
        return await opened(scene, name)
    if not scene.inbound.may_change:
        return Answer(Message(scene.texts("error.admins_only")))
    if name == ZONE:
        return await zone.typed_zone(scene, value)
    if name == QUIET:
        return await quiet.typed_quiet(scene, value)
    return await choose(scene, name, value, typed=True)


async def settings_answer(scene: Scene) -> Answer:
    """Every setting with its value, and a button for each."""
    texts = scene.texts
    lines = [texts("settings.title")]
    keys = []
    for name, setting in SETTINGS.items():
        if name == "exchange" and len(scene.desk.exchanges()) < 2:
            continue
        lines.append(texts(f"settings.is.{name}", value=_value_words(scene, setting)))
        keys.append(key(texts.label(f"settings.key.{name}"), "sg", name))
        if name == "language":
            lines.append(texts("settings.is.zone", value=zone.zone_words(scene)))
            keys.append(key(texts.label("settings.key.zone"), "sg", ZONE))
    lines.append(quiet.settings_line(await scene.desk.quiet(scene.chat), texts))
    keys.append(key(texts.label("settings.key.quiet"), "sg", QUIET))
    return Answer(Message(Html("\n".join(lines)), rows(keys, KEYS_A_ROW)))


async def page(scene: Scene, name: str) -> Answer:
    """One setting: what it does, and what there is to choose with the current value marked."""
    if name == ZONE:
        return zone.zone_page(scene)
    setting = SETTINGS.get(name)
    if setting is None:
        return replace(await settings_answer(scene), toast=scene.texts.label("toast.old_button"))
    texts, now = scene.texts, setting.kept(scene.preferences)
    keys = [
        key(texts.label("button.chosen", label=label) if value == now else label, "ss", name, value)
        for value, label in setting.choices(scene)
    ]
    return Answer(Message(texts(f"settings.ask.{name}"), (*rows(keys, setting.width), back(texts))))


async def choose(scene: Scene, name: str, value: str, *, typed: bool = False) -> Answer:
    """Keep a value; one that is none of the setting's leaves it as it is, and shows what there is."""
    setting = SETTINGS.get(name)
    if setting is None:
        return await page(scene, name)
    choices = setting.choices(scene)
    found = _understood(choices, value)
    if found is None:
        found = _understood(choices, setting.meant(value))
    if found is None:
        shown = await page(scene, name)
        if typed:
            return _with_fault(shown, scene.texts("settings.no_value", typed=echo(value)))
        return replace(shown, toast=scene.texts.label("toast.old_button"))
    chosen = setting.chosen(scene.preferences, found)
    await scene.desk.prefer(scene.chat, chosen)
    after = scene.preferring(chosen)
    return replace(await settings_answer(after), toast=after.texts.label("toast.saved"))


def back(texts: Texts) -> tuple[Button, ...]:
    """The row that leads back to all settings."""
    return (key(texts.label("button.settings_back"), "se"),)


def _value_words(scene: Scene, setting: Setting) -> str:
    """The label of the current value; the value itself where it is no longer among the choices."""
    now = setting.kept(scene.preferences)
    return dict(setting.choices(scene)).get(now, now)


def _understood(choices: Sequence[tuple[str, str]], value: str) -> str | None:
    """The choice that somebody means by its value or its label, None where it is none."""
    folded = value.casefold()
    for kept, label in choices:
        if folded in (kept.casefold(), label.casefold()):
            return kept
    return None


def _with_fault(answer: Answer, fault: Html) -> Answer:
    """The answer under a sentence that says what was wrong."""
    if answer.message is None:
        return answer
    return replace(answer, message=replace(answer.message, text=f"{fault}\n\n{answer.message.text}"))
