"""Time zones by the cities and countries that people name, in any of a few languages (names: CLDR, through Babel)."""

import unicodedata
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global

from bot.telegram.texts.zones import UnknownZoneError, zone_of

MOST = 6
"""More zones than that are no answer to a question."""

LIKENESS = 0.8
"""How alike two names must be for one to be a misspelling of the other."""

_ABBREVIATION = 3
_NO_CITIES = ("Etc/", "SystemV/", "US/", "posix/", "right/")

MORE_CITIES = {
    "Europe/Moscow": ("Saint Petersburg", "Санкт-Петербург", "Питер", "Казань", "Сочи", "Russia", "Россия"),
    "Europe/Istanbul": ("Ankara", "Izmir", "Antalya", "Анкара", "Анталья"),
    "Europe/Berlin": ("Munich", "Frankfurt", "Hamburg", "Cologne", "München"),
    "Europe/Zurich": ("Geneva", "Zug"),
    "Europe/Rome": ("Milan", "Milano"),
    "Europe/Madrid": ("Barcelona", "Valencia"),
    "Europe/Lisbon": ("Porto",),
    "Europe/London": ("Manchester", "Edinburgh", "UK", "England"),
    "Asia/Shanghai": ("Beijing", "Shenzhen", "Guangzhou", "Hangzhou", "北京", "深圳", "广州", "杭州", "成都", "Пекин"),
    "Asia/Kolkata": ("Mumbai", "Delhi", "New Delhi", "Bangalore", "Chennai", "Hyderabad"),
    "Asia/Dubai": ("Abu Dhabi", "UAE"),
    "Asia/Ho_Chi_Minh": ("Hanoi",),
    "Asia/Makassar": ("Bali", "Denpasar"),
    "Asia/Bangkok": ("Phuket", "Chiang Mai", "Пхукет"),
    "America/New_York": ("Miami", "Boston", "Washington", "Atlanta", "USA"),
    "America/Chicago": ("Houston", "Dallas", "Austin", "USA"),
    "America/Los_Angeles": ("San Francisco", "Seattle", "Las Vegas", "San Diego", "USA"),
    "America/Sao_Paulo": ("Rio de Janeiro", "Brasilia", "Rio", "Brazil", "Brasil"),
    "America/Mexico_City": ("Guadalajara", "CDMX"),
    "America/Bogota": ("Medellin",),
    "Australia/Sydney": ("Canberra",),
    "Africa/Johannesburg": ("Cape Town",),
    "Africa/Lagos": ("Abuja",),
}
"""Cities that people live in and that give their zone no name."""


def zones_called(typed: str, languages: Sequence[str]) -> Sequence[str]:
    """The zones that a name means, the likeliest first: a zone's name, an offset, a city or a country; else none."""
    plain = " ".join(typed.split()).replace(" ", "_")
    try:
        zone_of(plain)
    except UnknownZoneError:
        return _index(tuple(languages)).get(_folded(typed), ())
    return (_canonical(plain) if "/" in plain else plain.upper(),)


def zones_like(typed: str, languages: Sequence[str]) -> Sequence[str]:
    """The zones whose names look most like this one, the likeliest first."""
    index = _index(tuple(languages))
    near = get_close_matches(_folded(typed), index, n=MOST, cutoff=LIKENESS)
    return list(dict.fromkeys(zone for name in near for zone in index[name]))[:MOST]


def city_name(zone: str, locale: Locale) -> str:
    """A zone by its city, as a language calls it: `Стамбул`; the zone's own name where it has none."""
    return _cities(str(locale)).get(_canonical(zone)) or _last_part(zone)


@lru_cache(maxsize=16)
def _index(languages: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Zones by their folded names."""
    found: dict[str, dict[str, None]] = {}
    for name, zone in _names(languages):
        found.setdefault(_folded(name), {})[zone] = None
    return {name: tuple(zones) for name, zones in found.items() if name}


def _names(languages: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    locales = [Locale.parse(language, sep="-") for language in languages]
    zones = {zone: _canonical(zone) for zone in sorted(available_timezones()) if len(zone) > _ABBREVIATION}
    for zone, canonical in zones.items():
        if not zone.startswith(_NO_CITIES):
            yield zone, canonical
            yield _last_part(zone), canonical
    for locale in locales:
        for zone, city in _cities(str(locale)).items():
            yield city, zone
    for zone, cities in MORE_CITIES.items():
        for city in cities:
            yield city, zone
    for territory, of_country in get_global("territory_zones").items():
        for locale in locales:
            for zone in of_country if territory in locale.territories and len(of_country) <= MOST else ():
                yield locale.territories[territory], zone


@lru_cache(maxsize=16)
def _cities(language: str) -> dict[str, str]:
    """What a language calls the city of each zone that it has a name for."""
    named = Locale.parse(language).time_zones.items()
    return {_canonical(zone): names["city"] for zone, names in named if "city" in names}


def _canonical(zone: str) -> str:
    return str(get_global("zone_aliases").get(zone, zone))


def _last_part(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _folded(name: str) -> str:
    """A name without case, accents and what stands between its words."""
    bare = unicodedata.normalize("NFKD", name.casefold().replace("ı", "i"))
    return "".join(c for c in bare if c.isalnum())
