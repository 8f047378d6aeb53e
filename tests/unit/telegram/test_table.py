"""Tables keep to what a phone shows of a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.alerts.types import Severity
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.alerts_text import Contract, sample_event
from bot.telegram.commands.clusters import ladder
from bot.telegram.groups import Told, group_message
from bot.telegram.limits import bare
from bot.telegram.scene import chips
from bot.telegram.table import COLUMNS, columns_of, fits, lines_of, narrowed
from bot.telegram.texts import Catalogue
from tests.fakes.desk import NOON_MS, believable_markets

LANGUAGES = sorted(Catalogue.load().languages)
MARKETS = believable_markets()
CELLS = st.text(alphabet="ab0.,清", max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=6))
def test_spare_columns_go_until_the_rows_fit_and_the_others_stay(rows: list[tuple[str, ...]]) -> None:
    kept = narrowed(rows, spare=(4, 1, 3))
    gone = len(rows[0]) - len(kept[0])
    assert [tuple(row) for row in kept] == [
        tuple(cell for place, cell in enumerate(row) if place not in (4, 1, 3)[:gone]) for row in rows
    ]
    assert fits(kept) or gone == 3
    assert gone == 0 or not fits(narrowed(rows, spare=(4, 1, 3)[: gone - 1]))


def test_a_chinese_character_takes_two_columns() -> None:
    assert columns_of("我BTC") == 5
    lines = lines_of([["我", "1"], ["BTC", "22"]])
    assert lines == ["我   1", "BTC 22"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("symbol", [symbol for symbol, view in MARKETS.items() if view.clusters])
def test_the_ladder_of_a_market_fits_a_phone(symbol: str, language: str) -> None:
    view, texts = MARKETS[symbol], Catalogue.load().texts(language)
    above = [each for each in view.clusters if each.cluster.side is Side.SHORT]
    below = [each for each in view.clusters if each.cluster.side is Side.LONG]
    lines = bare(ladder(above, below, view, texts)).split("\n")
    assert max(map(columns_of, lines)) <= COLUMNS
    assert len(lines) == len(view.clusters) + 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_of_a_sweep_fits_a_phone(language: str) -> None:
    told = []
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT", "ZRXUSDT", "1000PEPEUSDT"):
        view = MARKETS[symbol]
        event = sample_event(view, view.clusters[0], now_ms=NOON_MS)
        told.append(Told(replace(event, severity=Severity.WARNING), Contract(view.base, view.tick_size)))
    message = group_message(told, Catalogue.load().texts(language), sent_ms=NOON_MS)
    table = message.text.partition("<pre>")[2].partition("</pre>")[0].split("\n")
    assert len(table) == len(told)
    assert max(map(columns_of, table)) <= COLUMNS


@pytest.mark.parametrize(
    ("count", "expected"), [(3, [3]), (4, [4]), (5, [3, 2]), (6, [3, 3]), (7, [4, 3]), (9, [3] * 3)]
)
def test_chips_stand_in_rows_of_one_length(count: int, expected: list[int]) -> None:
    assert [len(row) for row in chips([f"C{n}USDT" for n in range(count)], "w")] == expected


def test_no_chips_are_no_rows() -> None:
    assert chips([], "w") == ()
