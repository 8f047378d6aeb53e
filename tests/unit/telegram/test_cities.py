"""Zones by the names that people type."""

from zoneinfo import available_timezones

import pytest
from babel import Locale

from bot.telegram.commands.zone import COMMON
from bot.telegram.texts.cities import city_name, zones_called, zones_like
from bot.telegram.texts.zones import zone_of

LANGUAGES = ("en", "es", "pt", "ru", "tr", "zh")


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("istanbul", "Europe/Istanbul"),
        ("İSTANBUL", "Europe/Istanbul"),
        ("Estambul", "Europe/Istanbul"),
        ("Стамбул", "Europe/Istanbul"),
        ("伊斯坦布尔", "Europe/Istanbul"),
        ("Türkiye", "Europe/Istanbul"),
        ("turkey", "Europe/Istanbul"),
        ("ankara", "Europe/Istanbul"),
        ("北京", "Asia/Shanghai"),
        ("москва", "Europe/Moscow"),
        ("питер", "Europe/Moscow"),
        ("são paulo", "America/Sao_Paulo"),
        ("Sao Paulo", "America/Sao_Paulo"),
        ("new york", "America/New_York"),
        ("New-York", "America/New_York"),
        ("europe/berlin", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Kolkata"),
        ("Kiev", "Europe/Kyiv"),
        ("mumbai", "Asia/Kolkata"),
        ("utc", "UTC"),
        ("utc+3", "UTC+3"),
        ("-03:30", "-03:30"),
    ],
)
def test_a_city_a_country_or_an_offset_means_its_zone(typed: str, zone: str) -> None:
    assert list(zones_called(typed, LANGUAGES)) == [zone]
    zone_of(zone)


def test_a_country_of_many_zones_leaves_the_choice() -> None:
    assert list(zones_called("USA", LANGUAGES)) == ["America/New_York", "America/Chicago", "America/Los_Angeles"]
    assert set(zones_called("中国", LANGUAGES)) == {"Asia/Shanghai", "Asia/Urumqi"}


@pytest.mark.parametrize(
    ("typed", "zone"), [("istanbol", "Europe/Istanbul"), ("new yrok", "America/New_York"), ("Масква", "Europe/Moscow")]
)
def test_a_misspelt_city_has_its_zone_among_the_nearest(typed: str, zone: str) -> None:
    assert zones_called(typed, LANGUAGES) == ()
    assert zone in zones_like(typed, LANGUAGES)


@pytest.mark.parametrize("typed", ["", "   ", "Narnia", "UTC+99", "../../etc/passwd", "\x00", "x" * 300, "🌍"])
def test_what_is_no_place_is_none(typed: str) -> None:
    assert zones_called(typed, LANGUAGES) == ()
    assert zones_like(typed, LANGUAGES) == []


def test_every_zone_is_found_by_its_own_name_and_fits_a_key() -> None:
    for name in available_timezones():
        if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/")):
            (found,) = zones_called(name, LANGUAGES)
            zone_of(found)
            assert len(f"sz|{found}") <= 64


@pytest.mark.parametrize("language", LANGUAGES)
def test_common_zones_are_named_in_the_language_and_short_enough_for_a_key(language: str) -> None:
    for zone in COMMON[language]:
        zone_of(zone)
        assert 0 < len(city_name(zone, Locale.parse(language))) <= 16


def test_cities_are_called_as_the_language_calls_them() -> None:
    assert city_name("Europe/Istanbul", Locale("ru")) == "Стамбул"
    assert city_name("America/Argentina/Buenos_Aires", Locale("zh")) == "布宜诺斯艾利斯"
    assert city_name("America/Argentina/Buenos_Aires", Locale("es")) == "Buenos Aires"
    assert city_name("Asia/Shanghai", Locale("en")) == "Shanghai"
