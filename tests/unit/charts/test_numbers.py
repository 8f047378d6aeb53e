"""How finely pictures write numbers, and that every language's are drawn."""

import pytest

from bot.charts.fonts import can_draw
from bot.charts.numbers import decimals_of, price_text, signed_percent_text, tick_text
from tests.unit.charts.maps import ENGLISH, NUMERALS


@pytest.mark.parametrize(
    ("tick_size", "decimals"),
    [(0.1, 1), (1.0, 0), (100.0, 0), (0.25, 2), (1e-7, 7), (0.0, 12), (float("nan"), 12)],
)
def test_decimals_follow_the_tick_size(tick_size: float, decimals: int) -> None:
    assert decimals_of(tick_size) == decimals


@pytest.mark.parametrize(
    ("price", "tick_size", "text"),
    [
        (88_234.57, 0.1, "88,234.6"),
        (0.23451, 1e-4, "0.2345"),
        (1.23e-8, 1e-10, "0.0000000123"),
        (1_234_567.8, 0.1, "1,234,568"),
        (0.000123456789, 0.0, "0.000123457"),
        (0.0, 0.1, "0"),
    ],
)
def test_prices_have_six_digits_and_never_more_than_the_tick_size(price: float, tick_size: float, text: str) -> None:
    assert price_text(price, tick_size, ENGLISH) == text


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.0, "0%"), (0.042, "+4.2%"), (-0.1, "−10.0%"), (0.0012, "+0.12%"), (-1e-6, "0%")]
)
def test_distances_carry_a_sign(fraction: float, text: str) -> None:
    assert signed_percent_text(fraction, ENGLISH) == text


@pytest.mark.parametrize(
    ("level", "step", "text"),
    [(80_000.0, 5_000.0, "80,000"), (82_500.0, 2_500.0, "82,500"), (0.25, 0.05, "0.25"), (1.025, 0.025, "1.025")],
)
def test_ticks_have_the_decimals_of_their_step(level: float, step: float, text: str) -> None:
    assert tick_text(level, step, ENGLISH) == text


@pytest.mark.parametrize(
    ("language", "price", "tick", "away", "amount"),
    [
        ("en", "85,948.5", "90,000", "−10.0%", "$78.9M"),
        ("es", "85.948,5", "90.000", "−10,0\xa0%", "$78,9M"),
        ("pt", "85.948,5", "90.000", "−10,0%", "$78,9\xa0mi"),
        ("ru", "85\xa0948,5", "90\xa0000", "−10,0\xa0%", "$78,9\xa0млн"),
        ("tr", "85.948,5", "90.000", "−%10,0", "$78,9M"),
        ("zh", "85,948.5", "90,000", "−10.0%", "$78.9M"),
    ],
)
def test_numbers_are_written_as_the_language_writes_them(
    language: str, price: str, tick: str, away: str, amount: str
) -> None:
    numerals = NUMERALS[language]
    assert price_text(85_948.5, 0.1, numerals) == price
    assert tick_text(90_000.0, 5_000.0, numerals) == tick
    assert signed_percent_text(-0.1, numerals) == away
    assert numerals.money(78_900_000.0) == amount


@pytest.mark.parametrize("language", sorted(NUMERALS))
def test_all_that_a_language_writes_numbers_with_can_be_drawn(language: str) -> None:
    numerals = NUMERALS[language]
    amounts = [numerals.money(10.0**power) for power in range(15)]
    assert can_draw("".join([price_text(1_234_567.8, 0.1, numerals), signed_percent_text(-0.0012, numerals), *amounts]))
