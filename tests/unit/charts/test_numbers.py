"""Numbers as pictures write them."""

import pytest

from bot.charts.numbers import decimals_of, percent_text, price_text, signed_percent_text, tick_text, usd_text


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
    assert price_text(price, tick_size) == text


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.0, "$0"),
        (512.4, "$512"),
        (999.7, "$1K"),
        (8_240.0, "$8.24K"),
        (45_600.0, "$45.6K"),
        (312_400_000.0, "$312M"),
        (999_600_000.0, "$1B"),
        (2_000_000_000.0, "$2B"),
        (1.234e13, "$12.3T"),
    ],
)
def test_amounts_have_three_digits_and_a_unit(usd: float, text: str) -> None:
    assert usd_text(usd) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0, "0%"), (0.035, "3.5%"), (0.03, "3%"), (0.0996, "10%"), (1.0, "100%")]
)
def test_shares_are_percent(share: float, text: str) -> None:
    assert percent_text(share) == text


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.0, "0%"), (0.042, "+4.2%"), (-0.1, "−10.0%"), (0.0012, "+0.12%"), (-1e-6, "0%")]
)
def test_distances_carry_a_sign(fraction: float, text: str) -> None:
    assert signed_percent_text(fraction) == text


@pytest.mark.parametrize(
    ("level", "step", "text"),
    [(80_000.0, 5_000.0, "80,000"), (82_500.0, 2_500.0, "82,500"), (0.25, 0.05, "0.25"), (1.025, 0.025, "1.025")],
)
def test_ticks_have_the_decimals_of_their_step(level: float, step: float, text: str) -> None:
    assert tick_text(level, step) == text
