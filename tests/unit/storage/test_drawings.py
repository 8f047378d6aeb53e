"""Maps that workers drew: kept once a slot, the newest alone whole."""

import numpy as np
import pytest

from bot.liquidation import ModelParameters
from bot.liquidation.types import LiquidationMap, MapLimit
from bot.liquidation.values import replace
from bot.storage.database import Database
from bot.storage.drawings import Drawing
from tests.unit.storage.values import BTC, NOW, ZRX

SLOT_MS = 300_000


def drawing(time_ms: int = NOW) -> Drawing:
    edges = np.geomspace(0.2, 0.3, 11)
    usd = np.linspace(0.0, 1e6, 10)
    drawn = LiquidationMap(
        time_ms=time_ms,
        price=0.25,
        low=edges[:-1],
        high=edges[1:],
        long_usd=usd,
        short_usd=usd[::-1].copy(),
        long_total_usd=7e6,
        short_total_usd=8e6,
        open_interest="measured",
        limits=(MapLimit.GAPS,),
    )
    parameters = ModelParameters(long_tilt=tuple(1.0 + i / 100 for i in range(12)), spike_share=0.1)
    return Drawing(drawn, "cohorts-1-abc", 8640, True, parameters)


def same(one: Drawing | None, other: Drawing) -> bool:
    if one is None or replace(one, map=other.map) != other:
        return False
    names = LiquidationMap.__dataclass_fields__
    return all(np.array_equal(getattr(one.map, name), getattr(other.map, name)) for name in names)


async def test_a_drawing_comes_back_as_it_was(db: Database) -> None:
    assert await db.drawings.newest_ms(ZRX) is None
    assert await db.drawings.save(ZRX, NOW, drawing(), made_by="a")
    found = await db.drawings.of_slot(NOW, [ZRX, BTC])
    assert list(found) == [ZRX]
    assert same(found[ZRX], drawing())
    assert await db.drawings.newest_ms(ZRX) == NOW
    assert await db.drawings.signed(NOW) == {ZRX: "a"}


async def test_a_slot_is_drawn_once_whoever_is_second(db: Database) -> None:
    assert await db.drawings.save(ZRX, NOW, drawing(), made_by="a")
    assert not await db.drawings.save(ZRX, NOW, drawing(NOW + 1), made_by="b")
    assert await db.drawings.signed(NOW) == {ZRX: "a"}
    assert same((await db.drawings.of_slot(NOW, [ZRX]))[ZRX], drawing())


async def test_of_each_market_the_newest_alone_is_kept_whole(db: Database) -> None:
    for market in (ZRX, BTC):
        await db.drawings.save(market, NOW, drawing(), made_by="a")
    await db.drawings.save(ZRX, NOW + SLOT_MS, drawing(NOW + SLOT_MS), made_by="a")
    before = await db.drawings.of_slot(NOW, [ZRX, BTC])
    assert before[ZRX] is None
    assert same(before[BTC], drawing())
    assert same((await db.drawings.of_slot(NOW + SLOT_MS, [ZRX]))[ZRX], drawing(NOW + SLOT_MS))


async def test_that_nothing_could_be_drawn_is_known_too(db: Database) -> None:
    await db.drawings.save(ZRX, NOW, None, made_by="a")
    assert await db.drawings.of_slot(NOW, [ZRX]) == {ZRX: None}


@pytest.mark.parametrize(("days", "left"), [(2, 1), (4, 0)])
async def test_old_slots_are_forgotten(db: Database, days: int, left: int) -> None:
    await db.drawings.save(ZRX, NOW, drawing(), made_by="a")
    await db.clean(now_ms=NOW + days * 86_400_000)
    assert len(await db.drawings.signed(NOW)) == left
