"""The skill meter's own rules: what outlives a full disk, whose verdict speaks, what the guard says."""

from collections.abc import Sequence
from math import nan

import numpy as np
import pytest

from bot.alerts.types import Market
from bot.clock import StepClock
from bot.liquidation import DEFAULT, History, LiquidationPrints, PositionModel, Turnover
from bot.liquidation.score import HOUR_MS, MODELS, constant_flow
from bot.liquidation.skill import ModelSkill, Skill, Verdict
from bot.liquidation.skill_sample import brief
from bot.liquidation.values import replace
from bot.live_score import LEARNED, PRIOR, TUNED, Record, briefs_at, learn_week, score_week, skill_from_plain
from bot.market.feed import FeedStatus, Heard, Print, prints_of_rows
from bot.market.history import liquidations_of_cover
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.market_skill import MarketSkill, all_of, skill_of, stored_skill
from bot.skill_meter import FORGOTTEN_MS, SkillMeter, chosen
from bot.storage.access import Access
from bot.storage.database import Database
from bot.storage.errors import DiskFullError
from bot.storage.lock import FileLock
from bot.storage.prints import PrintLog

NOW = 1_767_398_400_000
SIM = Market("simulated", "SIMUSDT")
PRIOR_WEIGHTS = np.array(DEFAULT.turnover_prior)
TAUGHT = Turnover(np.array([0.5, 0.2, 0.1, 0.1, 0.1]), 140.0, 1.0)


def model(name: str, skill: float, verdict: Verdict) -> ModelSkill:
    return ModelSkill(name, skill, skill - 0.05, skill + 0.05, 0.5, 0.2, 1.4, verdict)


def skill(*, prior: float = 0.1, tuned: float = 0.1, learned: float = 0.2, verdict: Verdict = Verdict.PROVEN) -> Skill:
    values = (0.05, prior, tuned, learned)
    models = tuple(model(name, value, verdict) for name, value in zip(MODELS, values, strict=True))
    return Skill(models, 1.3, 4_000, 96, 1, 120.0, 12, "2h")


class Feed:
    """A feed that brings what a test puts into it."""

    name = "simulated"

    def __init__(self) -> None:
        self.news: list[Heard] = []

    async def run(self) -> None:
        raise AssertionError("nobody runs this feed")

    def take(self) -> Heard:
        return self.news.pop(0) if self.news else Heard()

    def status(self) -> FeedStatus:
        return FeedStatus(True, None, 0, 0, 1)


class FillingLog(PrintLog):
    """A log on a disk that is full while `full` is set."""

    full = False

    async def save(self, exchange: str, news: Heard) -> None:
        if self.full:
            raise DiskFullError("The database did not answer: the disk is full.")
        await super().save(exchange, news)


class FillingDisk(Database):
    """A database whose prints go into such a log."""

    prints: FillingLog

    def __init__(self, access: Access, lock: FileLock | None = None, *, exclusive: bool = True) -> None:
        super().__init__(access, lock, exclusive=exclusive)
        self.prints = FillingLog(access)


async def meter_of(db: Database, *known: MarketSkill, feed: Feed | None = None) -> SkillMeter:
    """A meter that remembers these, as after a restart."""
    await db.briefs.save_scores([stored_skill(one) for one in known])
    meter = SkillMeter(db=db, clock=StepClock(NOW), feeds={"simulated": feed or Feed()})
    await meter.restore()
    return meter


@pytest.fixture(scope="module")
def history(market: SimulatedMarket) -> History:
    bars, samples = market.bars, market.open_interest
    unknown = np.full(len(bars), np.nan)
    known = dict(zip(samples.time_ms.tolist(), samples.coins.tolist(), strict=True))
    interest = np.array([known.get(int(time_ms) + BAR_MS, nan) for time_ms in bars.open_ms])
    return History(BAR_MS, bars.open_ms, bars.open, bars.high, bars.low, bars.close, bars.volume, unknown, interest)


def printed(market: SimulatedMarket, cover: Sequence[tuple[int, int]]) -> LiquidationPrints:
    return liquidations_of_cover(market.prints, cover)


class TestWhoseVerdictSpeaks:
    async def test_a_market_with_enough_speaks_for_itself(self) -> None:
        async with await Database.open("sqlite://", inline=True) as db:
            poor = MarketSkill(SIM, NOW, skill(verdict=Verdict.NOT_PROVEN), kappa=2e-4)
            meter = await meter_of(db, poor, MarketSkill(all_of("simulated"), NOW, skill()))
            assert not meter.calibration(SIM).proven
            assert meter.judge(SIM) == meter.skill(SIM)

    async def test_a_market_with_too_few_or_never_scored_takes_the_verdict_of_all(self) -> None:
        async with await Database.open("sqlite://", inline=True) as db:
            few = MarketSkill(SIM, NOW, skill(verdict=Verdict.TOO_FEW), kappa=2e-4)
            meter = await meter_of(db, few, MarketSkill(all_of("simulated"), NOW, skill()))
            assert meter.calibration(SIM).proven
            assert meter.calibration(SIM).kappa == 2e-4
            assert meter.calibration(SIM._replace(symbol="NEWUSDT")).proven
            assert meter.calibration(SIM._replace(symbol="NEWUSDT")).kappa is None
            assert not meter.calibration(Market("okx", "SIMUSDT")).proven

    async def test_nothing_speaks_before_anything_was_scored_or_long_after(self) -> None:
        async with await Database.open("sqlite://", inline=True) as db:
            assert not (await meter_of(db)).calibration(SIM).proven
            old = MarketSkill(SIM, NOW - FORGOTTEN_MS, skill())
            assert not (await meter_of(db, old)).calibration(SIM).proven

    async def test_what_was_learned_is_lent_unless_the_guard_chose_otherwise(self) -> None:
        async with await Database.open("sqlite://", inline=True) as db:
            learned = (await meter_of(db, MarketSkill(SIM, NOW, skill(), TAUGHT))).calibration(SIM)
            assert learned.learned
            assert learned.weights is None
            shown = MarketSkill(SIM, NOW, skill(), TAUGHT, shipped=TUNED)
            tuned = (await meter_of(db, shown)).calibration(SIM)
            assert not tuned.learned
            assert tuned.weights is not None
            assert tuned.weights.tolist() == TAUGHT.weights.tolist()
            guarded = (await meter_of(db, MarketSkill(SIM, NOW, skill(), TAUGHT, shipped=PRIOR))).calibration(SIM)
            assert not guarded.learned
            assert guarded.weights is None


@pytest.mark.parametrize(
    ("turnover", "scores", "shown"),
    [
        (None, skill(prior=0.10, learned=0.12), LEARNED),
        (TAUGHT, skill(prior=0.10, tuned=0.20, learned=0.12), LEARNED),  # held against the prior alone
        (TAUGHT, skill(prior=0.12, learned=0.10, verdict=Verdict.TOO_FEW), LEARNED),  # nothing speaks against it yet
        (None, skill(prior=0.10, learned=0.10), PRIOR),  # not above it
        (TAUGHT, skill(prior=0.10, tuned=0.12, learned=0.05), TUNED),
        (TAUGHT, skill(prior=0.12, tuned=0.10, learned=0.05), PRIOR),
        (TAUGHT, skill(prior=0.10, tuned=0.10, learned=0.05), PRIOR),  # no better than nothing learned
        (Turnover(PRIOR_WEIGHTS, 12.0, 0.0), skill(prior=0.10, tuned=0.12, learned=0.05), PRIOR),  # from too few prints
    ],
)
def test_the_learned_map_is_shown_unless_the_score_speaks_against_it(
    turnover: Turnover | None, scores: Skill, shown: str
) -> None:
    assert chosen(turnover, scores) == shown


def test_what_is_stored_comes_back_whole_and_of_another_version_is_refused() -> None:
    whole = MarketSkill(SIM, NOW, skill(prior=nan), TAUGHT, 3e-4, TUNED, NOW - HOUR_MS)
    again = skill_of(stored_skill(whole))
    assert again.skill is not None
    assert np.isnan(again.skill.model(PRIOR).skill)
    assert again.skill.model(TUNED) == skill().model(TUNED)
    assert (again.kappa, again.shipped, again.decided_ms) == (3e-4, TUNED, NOW - HOUR_MS)
    assert skill_from_plain(skill().plain()) == skill()
    other = stored_skill(MarketSkill(SIM, NOW, None, Turnover(np.ones(4) / 4, 50.0, 1.0)))
    with pytest.raises(ValueError, match="other turnover rows"):
        skill_of(other)


async def test_a_score_of_another_version_is_left_out_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    async with await Database.open("sqlite://", inline=True) as db:
        strange = MarketSkill(SIM, NOW, None, Turnover(np.ones(4) / 4, 50.0, 1.0))
        assert (await meter_of(db, strange)).skill(SIM) is None
    assert "another version" in caplog.text


async def test_prints_that_a_full_disk_refused_are_stored_with_the_next(caplog: pytest.LogCaptureFixture) -> None:
    async with await FillingDisk.open("sqlite://", inline=True) as db:
        feed = Feed()
        meter = await meter_of(db, feed=feed)
        rows = [Print(NOW + number, "SIMUSDT", is_long=True, price=100.0, coins=1.0) for number in range(2)]
        feed.news = [Heard((rows[0],), ((NOW, NOW + 1),)), Heard((rows[1],), ((NOW + 1, NOW + 2),))]
        db.prints.full = True
        await meter.hear()
        assert len(await db.prints.load(SIM, start_ms=0, end_ms=NOW + 9)) == 0
        db.prints.full = False
        await meter.hear()
        assert (await db.prints.load(SIM, start_ms=0, end_ms=NOW + 9)).time_ms.tolist() == [NOW, NOW + 1]
        assert await db.prints.cover("simulated", start_ms=NOW, end_ms=NOW + 9) == ((NOW, NOW + 2),)
    assert "could not be stored and are kept" in caplog.text


def test_briefs_are_the_maps_of_their_moments(history: History) -> None:
    ends = (history.open_ms + BAR_MS).tolist()
    times = [ends[300], ends[303], ends[-1]]
    taught = replace(DEFAULT, turnover_prior=(0.4, 0.3, 0.1, 0.1, 0.1))
    found = briefs_at(SIM, history, None, times, turnover=TAUGHT.weights, parameters=taught)
    assert [one.time_ms for one in found] == times
    for one, bars in zip(found, (301, 304, len(history)), strict=True):
        then = history.rows(0, bars)
        model = PositionModel.rebuild(then)
        expected = {
            "path_only": PositionModel.rebuild(constant_flow(then)).map(window=0.06),
            PRIOR: model.map(window=0.06, weights=PRIOR_WEIGHTS),
            TUNED: model.map(window=0.06, weights=TAUGHT.weights),
            LEARNED: PositionModel.rebuild(then, parameters=taught).map(window=0.06),
        }
        for name, read in expected.items():
            np.testing.assert_allclose(one.usd[name], brief(read).usd, rtol=1e-6, atol=1.0)
        assert one.totals == pytest.approx((expected[LEARNED].long_total_usd, expected[LEARNED].short_total_usd))
    assert briefs_at(SIM, history, None, []) == []


def test_only_hours_that_were_wholly_listened_to_are_scored(market: SimulatedMarket, history: History) -> None:
    start, end = int(history.open_ms[0]), history.end_ms
    times = list(range(start + 6 * HOUR_MS, end + 1, HOUR_MS // 4))
    briefs = briefs_at(SIM, history, None, times)

    def moments(cover: Sequence[tuple[int, int]]) -> int:
        record = Record(SIM, history, briefs, printed(market, cover))
        return score_week([record], cover).each[SIM].moments

    whole = moments([(start, end)])
    assert whole > 60
    assert 0 < moments([(start + 24 * HOUR_MS, start + 26 * HOUR_MS)]) <= 5
    assert moments([(start + 24 * HOUR_MS, start + 24 * HOUR_MS + 50 * 60_000)]) == 0
    assert moments([]) == 0


def test_sweeps_of_bars_that_nobody_listened_to_teach_nothing(market: SimulatedMarket, history: History) -> None:
    whole = [(int(history.open_ms[0]), history.end_ms)]
    taught = learn_week(history, None, printed(market, whole), whole)
    assert taught.effective_events > 0
    deaf = learn_week(history, None, printed(market, []), [])
    assert (deaf.effective_events, deaf.trust) == (0.0, 0.0)
    assert deaf.weights.tolist() == pytest.approx((PRIOR_WEIGHTS / PRIOR_WEIGHTS.sum()).tolist())


def test_prints_outside_of_what_was_listened_to_are_left_out() -> None:
    rows = [Print(NOW + number, "SIMUSDT", is_long=True, price=100.0, coins=2.0) for number in range(6)]
    found = liquidations_of_cover(prints_of_rows(rows), [(NOW + 1, NOW + 3), (NOW + 5, NOW + 9)])
    assert found.time_ms.tolist() == [NOW + 1, NOW + 2, NOW + 5]
    assert found.usd.tolist() == [200.0] * 3
