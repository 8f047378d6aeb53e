"""Pictures made from a market's numbers."""

import numpy as np
import pytest

from bot.charts.map_layout import lay_out
from bot.liquidation import LiquidationMap
from bot.pictures import map_picture, passed
from bot.telegram.texts import Catalogue


def test_what_price_has_passed_since_the_map_is_not_drawn() -> None:
    edges = np.arange(95.0, 106.0)
    longs = np.where(edges[:-1] < 100.0, 1.0, 0.0)
    drawn = LiquidationMap(0, 100.0, edges[:-1], edges[1:], longs, 1.0 - longs, 5.0, 5.0, "measured")
    lower = passed(drawn, 97.5)
    assert lower.long_usd.tolist() == [1.0, 1.0, 1.0, 0, 0, 0, 0, 0, 0, 0]
    assert lower.short_usd.tolist() == drawn.short_usd.tolist()
    higher = passed(drawn, 103.0)
    assert higher.short_usd.tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1.0, 1.0]
    assert higher.long_usd.tolist() == drawn.long_usd.tolist()


@pytest.mark.parametrize("language", ["en", "es", "ru", "zh"])
def test_a_picture_writes_numbers_as_its_texts_do(language: str) -> None:
    texts = Catalogue.load().texts(language)
    edges = np.arange(95.0, 106.0)
    none = np.zeros(10)
    picture = map_picture(
        LiquidationMap(0, 100.0, edges[:-1], edges[1:], none, none, 0.0, 0.0, "measured"),
        (),
        base="BTC",
        exchange="binance",
        tick_size=0.1,
        texts=texts,
        price=85_948.5,
        now_ms=0,
        simulated=False,
        proven=True,
    )
    captions = [caption.text for caption in lay_out(picture).captions]
    assert texts.figures.price(85_948.5, 0.1) in captions
