"""The pulse of live markets, and `liqwatch pulse` on recordings."""

import json
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot.alerts.types import Market
from bot.app import App, Limits, World
from bot.charts.table_layout import MOST_ROWS
from bot.clock import StepClock
from bot.hindsight import Part
from bot.liquidation import DEFAULT
from bot.liquidation.shape import HOUR_MS
from bot.market.simulator import SimulatedMarket
from bot.pulses import Pulses, past_hours, shape_report, shapes_at
from bot.storage.database import Database
from bot.telegram.desk import Look, MarketUnavailableError
from bot.telegram.survey import SHOWN
from bot.telegram.texts import Catalogue
from tests.shared import SHARED, needs_shared
from tests.unit.app.conftest import Console
from tests.unit.app.cuts import DAY_MS, cut
from tests.unit.app.scenes import START_MS, CountedExchange, Inbox, playing
from tests.unit.liquidation.markets import random_market

SIM = Market("simulated", "SIMUSDT")
LOOK = Look(Catalogue.load().texts("en"), "dark")
AT_MS = 1_766_923_200_000  # 2025-12-28T12:00:00Z


class Rig:
    def __init__(self, app: App, exchange: CountedExchange, clock: StepClock) -> None:
        self.app, self.exchange, self.clock = app, exchange, clock


@pytest.fixture
async def rig(market: SimulatedMarket) -> AsyncIterator[Rig]:
    clock = StepClock(START_MS)
    exchange = playing(market, clock)
    async with await Database.open("sqlite://", inline=True) as db:
        world = World({"simulated": exchange}, db, Inbox(), clock, frozenset({"simulated"}))
        app = await App.build(world, Limits(history_days=2, tick_s=75.0))
        await app.refresh_instruments()
        yield Rig(app, exchange, clock)


def test_a_picture_holds_as_many_rows_as_a_conversation_shows() -> None:
    assert SHOWN <= MOST_ROWS


def test_the_past_is_whole_hours_with_a_model_that_had_a_past_of_its_own() -> None:
    history = random_market(3, 4 * 288)
    hours = past_hours(history)
    assert (hours % HOUR_MS == 0).all()
    assert (np.diff(hours) == HOUR_MS).all()
    assert hours[0] >= history.open_ms[0] + 288 * history.bar_ms
    assert hours[-1] < history.end_ms
    assert len(past_hours(random_market(3, 20))) == 0


def test_a_pulse_rests_on_nothing_later_than_its_own_time() -> None:
    history = random_market(5, 3 * 288)
    cut_off = history.rows(0, 2 * 288)
    whole, part = (Part("sim", one, None, DEFAULT) for one in (history, cut_off))
    hours = past_hours(cut_off)
    assert shapes_at([whole], history, hours) == shapes_at([part], cut_off, hours)
    report = shape_report([part], cut_off, shapes_at([part], cut_off, hours))
    assert report is not None
    assert report.time_ms == cut_off.end_ms
    assert report.past == len(hours)


async def test_a_market_s_pulse_is_told_and_its_past_played_once_an_hour(rig: Rig) -> None:
    survey = rig.app.desk.survey()
    assert (await survey.pulse(SIM)).tightness < 0.0  # too young to say what is usual
    rig.clock.step_to(START_MS + 11 * HOUR_MS)
    first = await survey.pulse(SIM)
    assert first.simulated
    assert first.base == "SIM"
    assert first.move_pct > 0.0
    assert 0.0 <= first.tightness <= 1.0
    assert await survey.pulse(SIM) == first
    asked = len(rig.exchange.bars_asked())
    drawn = await survey.pulse_picture([first], look=LOOK)
    assert drawn is not None
    assert drawn[0].startswith(b"\x89PNG")
    assert len(rig.exchange.bars_asked()) == asked
    assert await survey.pulse_picture([], look=LOOK) is None


async def test_an_hour_later_only_that_hour_is_played_and_nothing_else_changes(rig: Rig) -> None:
    survey = rig.app.desk.survey()
    rig.clock.step_to(START_MS + 9 * HOUR_MS)
    await survey.pulse(SIM)
    rig.clock.step_to(START_MS + 10 * HOUR_MS)
    later = await survey.pulse(SIM)
    anew = await Pulses(rig.app.hindsight).report(SIM)
    assert anew[1] is not None
    assert later.report.past == anew[1].past
    assert later.report.concentration.rank == anew[1].concentration.rank
    assert later.report.near[1].low == pytest.approx(anew[1].near[1].low, rel=1e-6)


async def test_a_market_without_a_map_has_no_pulse(rig: Rig) -> None:
    rig.exchange.goes_down()
    with pytest.raises(MarketUnavailableError) as refused:
        await rig.app.desk.survey().pulse(SIM)
    assert refused.value.reason == "exchange_down"


def test_without_names_or_a_recording_it_says_what_to_give(liqwatch: Console) -> None:
    assert "name the markets" in liqwatch("pulse").refused()


@needs_shared
def test_all_markets_of_a_recording_stand_in_order_as_json_words_and_picture(liqwatch: Console, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    for symbol in ("SOLUSDT", "WIFUSDT"):
        cut(SHARED / "recordings", folder, "binance", symbol, start_ms=AT_MS - 5 * DAY_MS, end_ms=AT_MS)
    png = tmp_path / "pulse.png"
    [line] = liqwatch("pulse", "--recording", folder, "--json", "--png", png).lines()
    told = json.loads(line)["markets"]
    assert {each["symbol"] for each in told} == {"SOLUSDT", "WIFUSDT"}
    assert [each["wound_up"] for each in told] == sorted((each["wound_up"] for each in told), reverse=True)
    for each in told:
        assert each["time_ms"] == AT_MS
        assert [near["within_pct"] for near in each["near"]] == [1.0, 2.0, 5.0]
        assert each["wound_up"] == each["near"][1]["rank"]
        assert -1.0 <= each["imbalance"]["value"] <= 1.0
    with Image.open(BytesIO(png.read_bytes())) as image:
        assert image.size == (1280, 560)
    words = liqwatch("pulse", "WIF", "--recording", folder).lines()
    assert words[0].startswith("WIF: wound up ")
    assert "the nearest are" in liqwatch("pulse", "NOSUCH", "--recording", folder).refused()


@needs_shared
def test_markets_are_ranked_as_json_words_and_picture(liqwatch: Console, tmp_path: Path) -> None:
    folder = tmp_path / "two"
    for symbol in ("SOLUSDT", "WIFUSDT"):
        cut(SHARED / "recordings", folder, "binance", symbol, start_ms=AT_MS - 5 * DAY_MS, end_ms=AT_MS)
    png = tmp_path / "scan.png"
    [line] = liqwatch("scan", "--recording", folder, "--by", "one-sided", "--json", "--png", png).lines()
    told = json.loads(line)
    assert told["by"] == "onesided"
    assert len(told["markets"]) == 2
    leans = [abs(each["imbalance"]) for each in told["markets"]]
    assert leans == sorted(leans, reverse=True)
    for each in told["markets"]:
        assert each["time_ms"] == AT_MS
        assert each["absorption"] is None
        assert each["nearest"] is None or each["nearest"]["strength"] >= 70
    with Image.open(BytesIO(png.read_bytes())) as image:
        assert image.size == (1280, 560)
    assert liqwatch("scan", "--recording", folder).lines()[0] == "Nearest big clusters, of 2 markets"
    assert "no order book" in liqwatch("scan", "--recording", folder, "--by", "absorption").refused()
    refused = liqwatch("scan", "--recording", folder, "--by", "size").refused()
    assert refused == "--by takes one of nearest, growing, onesided, absorption, not 'size'"


def test_a_recorded_order_book_ranks_by_absorption(liqwatch: Console, recording: Path) -> None:
    [line] = liqwatch("scan", "--recording", recording, "--by", "absorption", "--json").lines()
    [told] = json.loads(line)["markets"]
    assert told["absorption"]["load"] > 0.0
    assert 0.0 < abs(told["absorption"]["distance_pct"]) <= 5.0
