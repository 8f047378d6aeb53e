"""Pictures for messages: drawn once, kept for a while, and never in the way of a text."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from bot.charts import MapPicture
from bot.liquidation import Side
from bot.pictures import PictureDesk, map_picture
from bot.telegram.texts import Catalogue
from tests.unit.app.scenes import START_MS, drawn, zone

TEXTS = Catalogue.load().texts("en")
SHORTS = zone(Side.SHORT, 104.0, 106.0)


def request(**changes: object) -> MapPicture:
    values: dict[str, object] = {"price": 100.0, "simulated": False, **changes}
    return map_picture(
        drawn([SHORTS], price=100.0, time_ms=START_MS),
        (SHORTS,),
        base="XYZ",
        exchange="binance",
        tick_size=0.01,
        texts=TEXTS,
        now_ms=START_MS,
        **values,  # type: ignore[arg-type]
    )


def test_the_words_of_a_picture_name_the_market_its_range_and_where_the_figures_come_from() -> None:
    picture = request()
    assert picture.title == "XYZ liquidation map · Binance"
    assert "volume" not in picture.subtitle.lower()
    assert picture.banner == ""
    assert request(simulated=True).banner
    assert request(range_ms=12 * 3_600_000).subtitle != picture.subtitle
    estimated = replace(drawn([SHORTS], price=100.0, time_ms=START_MS), open_interest="estimated")
    by_volume = map_picture(
        *(estimated, (SHORTS,)),
        base="XYZ",
        exchange="okx",
        tick_size=0.01,
        texts=TEXTS,
        price=100.0,
        now_ms=START_MS,
        simulated=False,
    )
    assert "volume" in by_volume.subtitle.lower()


async def test_equal_requests_at_once_are_drawn_once() -> None:
    desk = PictureDesk()
    pictures = await asyncio.gather(*(desk.draw(request(), "one") for _ in range(4)))
    assert len({id(png) for png in pictures}) == 1
    assert await desk.draw(request(), "one") is pictures[0]
    assert await desk.draw(request(price=101.0), "other") != pictures[0]


async def test_who_gives_up_waiting_does_not_take_the_picture_from_the_others() -> None:
    desk = PictureDesk()
    hasty, patient = (asyncio.create_task(desk.draw(request(), "one")) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    png = await patient
    assert png is not None
    assert png.startswith(b"\x89PNG")


async def test_a_picture_that_cannot_be_drawn_is_none_and_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, whole = PictureDesk(), request()
    broken = replace(whole, map=replace(whole.map, low=np.full(120, np.nan)))
    assert await desk.draw(broken, "map") is None
    assert "picture map could not be drawn" in caplog.text
    assert await desk.draw(whole, "map") is not None


async def test_only_the_newest_pictures_are_kept() -> None:
    desk = PictureDesk(kept=2)
    first, second, third = [await desk.draw(request(), name) for name in ("first", "second", "third")]
    assert await desk.draw(request(), "third") is third
    assert await desk.draw(request(), "second") is second
    again = await desk.draw(request(), "first")
    assert again == first
    assert again is not first
