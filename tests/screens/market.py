"""The market of the scripted day: made up, and shown as if two real exchanges told of it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from bot.alerts.types import Market
from bot.liquidation.skill import ModelSkill, Skill, Verdict
from bot.liquidation.values import replace
from bot.live_score import LEARNED, PRIOR, TUNED
from bot.market.simulator import SimulatedMarket, simulate
from bot.market.simulator_parameters import BASE, DAY_MS, PRESETS, SHALLOW, SimulationParameters
from bot.market_skill import MarketSkill, all_of

DAYS = 9
NOON_MS = BASE.start_ms + (DAYS - 1) * DAY_MS + DAY_MS // 2 + 130_000
"""When the day begins: twelve hours before the simulation ends, two minutes after a bar."""

_BTC = replace(BASE, symbol="BTCUSDT", start_price=96_500.0, price_decimals=1, daily_volatility=0.022)
_MARKETS: Mapping[str, Sequence[SimulationParameters]] = {
    "binance": (
        replace(_BTC, open_interest_usd=2.4e9, seed=2),
        replace(
            PRESETS["herding"],
            symbol="ETHUSDT",
            start_price=3_400.0,
            daily_volatility=0.03,
            open_interest_usd=1.1e9,
            seed=5,
        ),
        replace(PRESETS["two_speed"], symbol="SOLUSDT", start_price=182.0, open_interest_usd=4e8, seed=9),
        replace(
            PRESETS["herding"],
            symbol="ZRXUSDT",
            start_price=0.2314,
            price_decimals=4,
            daily_volatility=0.05,
            open_interest_usd=9e6,
            tiers=SHALLOW,
            seed=7,
        ),
        replace(
            PRESETS["asymmetric"],
            symbol="1000PEPEUSDT",
            start_price=0.0084311,
            price_decimals=7,
            daily_volatility=0.055,
            open_interest_usd=6e7,
            seed=8,
        ),
    ),
    "bybit": (replace(_BTC, open_interest_usd=1.1e9, seed=2, lot_sigma=1.4),),
}


@lru_cache(maxsize=1)
def simulated_markets() -> Mapping[str, Sequence[SimulatedMarket]]:
    """The markets of each exchange, the same at every call."""
    return {
        exchange: tuple(simulate(replace(one, days=DAYS, warmup_days=2, lots_per_bar=8)) for one in markets)
        for exchange, markets in _MARKETS.items()
    }


def verdicts(time_ms: int) -> list[MarketSkill]:
    """What the maps are worth: proven on Binance and for BTC, not for SOL, and for ZRX there is too little to tell."""
    return [
        MarketSkill(all_of("binance"), time_ms, _skill(0.094, 0.041, 0.138, 1240.0), kappa=3e-5),
        MarketSkill(Market("binance", "BTCUSDT"), time_ms, _skill(0.121, 0.052, 0.187, 318.0), kappa=3e-5),
        MarketSkill(Market("binance", "SOLUSDT"), time_ms, _skill(0.012, -0.043, 0.061, 102.0), kappa=3e-5),
        MarketSkill(Market("binance", "ZRXUSDT"), time_ms, _skill(0.3, -0.2, 0.6, 4.0)),
        MarketSkill(Market("bybit", "BTCUSDT"), time_ms, _skill(0.08, 0.02, 0.14, 280.0), kappa=3e-5),
    ]


def _skill(skill: float, low: float, high: float, events: float) -> Skill:
    verdict = Verdict.TOO_FEW if events < 30 else Verdict.PROVEN if low > 0 else Verdict.NOT_PROVEN
    models = tuple(ModelSkill(name, skill, low, high, 0.7, 0.2, 1.6, verdict) for name in (PRIOR, TUNED, LEARNED))
    return Skill(models, 2.0, 4000, 600, 5, events, 84, "2h")
