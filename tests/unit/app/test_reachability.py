"""An exchange that is not heard is told once, however its words change, and once more when it is heard again."""

import logging

import pytest

from bot.market.exchange import ExchangeUnavailableError, RateLimitedError
from bot.reachability import Reachability, ban_key
from bot.storage.database import Database


async def test_a_trouble_is_told_once_for_each_kind_and_its_end_once(caplog: pytest.LogCaptureFixture) -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        reach = Reachability({}, db)
        reach.answered("okx")
        for path in ("candles", "tickers", "candles"):
            await reach.failed("okx", ExchangeUnavailableError(f"OKX gave no usable answer for {path}."))
        for left_s in (9, 7, 5):
            silence = RateLimitedError(f"OKX asked for silence; {left_s} s of it are left.", until_ms=1000)
            await reach.failed("okx", silence)
        await reach.failed("okx", RateLimitedError("OKX asked for silence; 60 s of it are left.", until_ms=2000))
        reach.answered("okx")
        reach.answered("okx")
        assert await db.kv.get(ban_key("okx")) == 2000
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == [
        "okx is not heard: OKX gave no usable answer for candles.",
        "okx is not heard: OKX asked for silence; 9 s of it are left.",
        "okx is not heard: OKX asked for silence; 60 s of it are left.",
        "okx is heard again",
    ]
