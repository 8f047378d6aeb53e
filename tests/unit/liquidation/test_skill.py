"""The skill meter finds skill where there is some, and says so only then."""

import json

import numpy as np
import pytest

from bot.liquidation.poisson import deviance, expected_events, fit_poisson
from bot.liquidation.skill import Skill, Verdict, measure_skill
from bot.liquidation.skill_sample import Reached
from bot.liquidation.types import Floats
from bot.liquidation.values import replace

HOUR = 3_600_000
CHANCE = np.random.default_rng(7)


def cells(seed: int, *, exponent: float, hours: int = 120, symbols: int = 2, level: float = 0.4) -> Reached:
    """Reached cells whose liquidations grow with the first model's mass to `exponent`; the second model is noise."""
    chance = np.random.default_rng(seed)
    count = hours * symbols * 12
    time_ms = np.repeat(np.arange(hours) * HOUR, symbols * 12)
    symbol = np.tile(np.repeat(np.arange(symbols), 12), hours)
    side = chance.integers(0, 2, count)
    distance = chance.integers(2, 30, count)
    mass, noise = chance.lognormal(0.0, 1.0, (2, count))
    events = chance.poisson(level * (1.0 + symbol) * mass**exponent / np.sqrt(distance)).astype(float)
    return Reached(time_ms, symbol, side, distance, events, np.array([mass * 1e6, noise]))


def measured(sample: Reached, *, resamples: int = 300) -> Skill:
    return measure_skill(sample, ("knowing", "noise"), resamples=resamples)


def test_mass_that_says_where_liquidations_happen_is_proven() -> None:
    skill = measured(cells(1, exponent=0.8)).model("knowing")
    assert skill.verdict is Verdict.PROVEN
    assert 0.1 < skill.low < skill.skill < skill.high < 0.6
    assert skill.b == pytest.approx(0.8, abs=0.12)
    assert skill.rank_in_band > 0.2
    assert skill.lift > 1.5


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_not_proven(seed: int) -> None:
    noise = measured(cells(seed, exponent=0.8)).model("noise")
    assert noise.verdict is Verdict.NOT_PROVEN
    assert noise.skill < 0.01
    assert abs(noise.rank_in_band) < 0.1
    assert noise.lift == pytest.approx(1.0, abs=0.25)


def test_mass_that_only_repeats_the_distance_has_no_skill() -> None:
    sample = cells(3, exponent=0.0)
    sample = replace(sample, usd=np.array([1.0 / sample.distance, sample.usd[1]]))
    assert abs(measured(sample).model("knowing").skill) < 0.02


@pytest.mark.parametrize("short", [{"hours": 12}, {"level": 0.005}])
def test_few_blocks_or_events_give_no_verdict(short: dict[str, int]) -> None:
    sample = cells(4, exponent=0.8, **short)
    assert measured(sample).model("knowing").verdict is Verdict.TOO_FEW


def test_repeated_moments_do_not_make_more_events() -> None:
    sample = cells(5, exponent=0.5)
    assert measure_skill(sample, ("a", "b"), overlap=4.0).effective_events == sample.events.sum() / 4.0


def test_one_sample_gives_one_answer_whatever_the_unit_of_mass() -> None:
    sample = cells(6, exponent=0.5)
    assert measured(sample) == measured(sample)
    other = measured(replace(sample, usd=sample.usd * 1e5))
    assert other.model("knowing").skill == pytest.approx(measured(sample).model("knowing").skill)


def test_blocks_may_be_contracts() -> None:
    skill = measure_skill(cells(7, exponent=0.8, symbols=9, hours=40), ("a", "b"), by_symbol=True)
    assert (skill.blocks, skill.blocks_of, skill.symbols) == (9, "symbol", 9)
    assert skill.model("a").verdict is Verdict.PROVEN


def test_empty_and_silent_samples_are_too_few_and_plain_json() -> None:
    sample = cells(8, exponent=0.5)
    nothing = np.zeros(0, dtype=np.int64)
    empty = Reached(nothing, nothing, nothing, nothing, np.zeros(0), np.zeros((2, 0)))
    for bare in (empty, replace(sample, events=np.zeros(len(sample)))):
        skill = measured(bare)
        assert {one.verdict for one in skill.models} == {Verdict.TOO_FEW}
        plain = json.loads(json.dumps(skill.plain(), allow_nan=False))
        assert plain["models"][0]["skill"] is None


def test_each_model_has_a_name() -> None:
    with pytest.raises(ValueError, match="2 models need as many names, not 1"):
        measure_skill(cells(1, exponent=0.5, hours=3), ("only",))


def test_the_regression_finds_the_coefficients_it_was_made_with() -> None:
    chance = np.random.default_rng(3)
    design = np.column_stack((np.ones(20_000), chance.normal(size=20_000)))
    events = chance.poisson(np.exp(design @ np.array([-1.0, 0.7]))).astype(float)
    found = fit_poisson(design, events, np.zeros(2))
    assert found == pytest.approx(np.array([-1.0, 0.7]), abs=0.05)
    assert expected_events(design, found).sum() == pytest.approx(events.sum())


@pytest.mark.parametrize("events", [np.zeros(50), np.append(np.zeros(49), 1e4), np.full(50, 1e-6)])
def test_the_regression_survives_extreme_counts(events: Floats) -> None:
    design = np.column_stack((np.ones(50), np.eye(50)[:, :3], CHANCE.normal(size=50)))
    found = fit_poisson(design, events, np.full(5, 0.5))
    assert np.isfinite(found).all()


def test_deviance_is_zero_where_the_mean_is_right_and_positive_elsewhere() -> None:
    events = np.array([0.0, 1.0, 5.0])
    assert deviance(events, np.array([1e-12, 1.0, 5.0])) == pytest.approx(np.zeros(3), abs=1e-9)
    assert (deviance(events, np.array([0.5, 2.0, 1.0])) > 0).all()
