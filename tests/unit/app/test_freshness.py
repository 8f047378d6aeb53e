"""When an exchange counts as stale, and by whose clock."""

from bot.clock import StepClock
from bot.freshness import STALE_MS, Freshness
from bot.market.playback import PlaybackExchange

T0 = 1_767_312_000_000


class Rig:
    """Two exchanges without contracts, on one clock."""

    def __init__(self) -> None:
        self.clock = StepClock(T0)
        self.freshness = Freshness({name: PlaybackExchange(name, (), self.clock) for name in ("binance", "okx")})


def test_an_exchange_is_stale_when_its_newest_price_is_older_than_five_minutes() -> None:
    rig = Rig()
    rig.freshness.take("binance", T0)
    rig.clock.step_to(T0 + STALE_MS)
    assert rig.freshness.stale_since_ms("binance") is None
    rig.clock.step_to(T0 + STALE_MS + 1)
    assert rig.freshness.stale_since_ms("binance") == T0
    rig.freshness.take("binance", T0 + STALE_MS)
    assert rig.freshness.stale_since_ms("binance") is None


def test_an_exchange_that_repeats_an_old_price_is_as_stale_as_one_that_is_silent() -> None:
    rig = Rig()
    for late_ms in range(0, STALE_MS + 2_000, 1_000):
        rig.clock.step_to(T0 + late_ms)
        rig.freshness.take("binance", T0)
        rig.freshness.take("okx", T0 + late_ms)
    assert rig.freshness.stale_since_ms("binance") == T0
    assert rig.freshness.stale_since_ms("okx") is None
    rig.freshness.take("okx", T0)
    assert rig.freshness.newest_ms("okx") == T0 + STALE_MS + 1_000


def test_one_that_never_answered_is_stale_since_the_start_and_one_that_is_not_set_always() -> None:
    rig = Rig()
    assert rig.freshness.stale_since_ms("okx") is None
    rig.clock.step_to(T0 + STALE_MS + 1)
    assert rig.freshness.stale_since_ms("okx") == T0
    assert rig.freshness.newest_ms("okx") is None
    assert rig.freshness.stale_since_ms("kraken") == 0
