"""The chat's time zone: by a button, by the name of a city or a country, or as an offset."""

from collections.abc import Sequence

from bot.delivery.messenger import Button, Keyboard, Message
from bot.liquidation.values import replace
from bot.telegram.callbacks import key
from bot.telegram.limits import shorten
from bot.telegram.scene import Answer, Scene, echo, rows
from bot.telegram.texts import Html
from bot.telegram.texts.cities import city_name, zones_called, zones_like
from bot.telegram.texts.figures import Figures
from bot.telegram.texts.zones import UnknownZoneError, zone_of

KEYS_A_ROW = 2
CITY_UNITS = 14
"""What a key has room for beside the time."""
UTC = "UTC"

COMMON = {
    "en": ("America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/London", "Europe/Berlin"),
    "es": ("Europe/Madrid", "America/Mexico_City", "America/Bogota", "America/Lima", "America/Argentina/Buenos_Aires"),
    "pt": ("America/Sao_Paulo", "America/Manaus", "Europe/Lisbon", "Africa/Luanda", "Africa/Maputo"),
    "ru": ("Europe/Moscow", "Asia/Yekaterinburg", "Asia/Almaty", "Europe/Kyiv", "Asia/Tbilisi"),
    "tr": ("Europe/Istanbul", "Europe/Berlin", "Europe/London", "Asia/Baku", "Asia/Dubai"),
    "zh": ("Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo"),
}
"""Where those who speak a language mostly are."""

ANYWHERE = ("Asia/Dubai", "Asia/Kolkata", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney")
ON_PAGE = 9


async def typed_zone(scene: Scene, typed: str) -> Answer:
    """The zone that somebody names; several as buttons where the name leaves a choice, or is misspelt."""
    languages = tuple(scene.catalogue.languages)
    found = zones_called(typed, languages)
    if len(found) == 1:
        return await keep_zone(scene, found[0])
    near = found or zones_like(typed, languages)
    text = "settings.which_zone" if found else "settings.no_zone" if near else "settings.no_zone_bare"
    zones = near or _offered(scene)
    return Answer(Message(scene.texts(text, typed=echo(typed)), _keyboard(scene, zones)))


async def keep_zone(scene: Scene, zone: str) -> Answer:
    """Keep a zone, and say what the clock shows there."""
    try:
        await scene.desk.prefer(scene.chat, replace(scene.preferences, zone=zone))
    except UnknownZoneError:
        return replace(zone_page(scene), toast=scene.texts.label("toast.old_button"))
    after = scene.preferring(await scene.desk.preferences(scene.chat))
    text = after.texts("settings.zone_kept", zone=zone_words(after))
    return Answer(Message(text, (_back(after),)), toast=after.texts.label("toast.saved"))


def zone_page(scene: Scene) -> Answer:
    """The zones where people of this language mostly are, each with the time there."""
    return Answer(Message(scene.texts("settings.ask.zone"), _keyboard(scene, _offered(scene))))


def zone_words(scene: Scene) -> Html:
    """The chat's zone and its time now: "Istanbul, 17:05"; UTC where none is chosen."""
    zone = scene.preferences.zone or UTC
    return scene.texts("settings.zone", city=_named(scene, zone), time=scene.texts.figures.wall(scene.now_ms))


def _offered(scene: Scene) -> Sequence[str]:
    language = (scene.texts.language).split("-")[0]
    offered = dict.fromkeys((*COMMON.get(language, COMMON["en"]), *ANYWHERE))
    return [*list(offered)[: ON_PAGE - 1], UTC]


def _keyboard(scene: Scene, zones: Sequence[str]) -> Keyboard:
    return (*rows([_zone_key(scene, zone) for zone in zones], KEYS_A_ROW), _back(scene))


def _zone_key(scene: Scene, zone: str) -> Button:
    texts = scene.texts
    there = Figures(texts.locale, money={}, zone=zone_of(zone))
    city = shorten(_named(scene, zone), CITY_UNITS)
    label = texts.label("settings.zone_key", city=city, time=there.wall(scene.now_ms))
    return key(texts.label("button.chosen", label=label) if zone == scene.preferences.zone else label, "sz", zone)


def _named(scene: Scene, zone: str) -> str:
    return city_name(zone, scene.texts.locale) if "/" in zone else zone


def _back(scene: Scene) -> tuple[Button, ...]:
    return (key(scene.texts.label("button.settings_back"), "se"),)
