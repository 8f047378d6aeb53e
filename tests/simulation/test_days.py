"""Days in virtual time, each out of one seed: Telegram, the exchange and the disk fail, the process dies, and yet.

A seed that fails is named by its test; it is added to REGRESSIONS and stays there.
"""

from collections import Counter

import pytest

from tests.simulation.conftest import Note
from tests.simulation.days import Hospital

REGRESSIONS: tuple[int, ...] = (1005, 1035)
SEEDS = tuple(dict.fromkeys((*REGRESSIONS, *range(50))))
MANY = range(1_000, 2_000)


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    return Hospital(tmp_path_factory.mktemp("days"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_loses_no_alert_and_no_command_and_doubles_nothing_unmarked(seed: int, hospital: Hospital) -> None:
    day = hospital.live_through(seed)
    assert day.wrong == []
    assert day.figures["alerts"] > 20, "a day on which nothing happens shows nothing"


def test_the_same_seed_gives_the_same_day(hospital: Hospital) -> None:
    assert hospital.live_through(7) == hospital.live_through(7)


@pytest.mark.soak
@pytest.mark.parametrize("first", MANY[::100])
def test_a_thousand_days(first: int, hospital: Hospital, note_figures: Note) -> None:
    total: Counter[str] = Counter()
    failed = {}
    for seed in range(first, first + 100):
        day = hospital.live_through(seed)
        total += day.figures
        if day.wrong:
            failed[seed] = day.wrong
    note_figures("Days in virtual time", {**dict(sorted(total.items())), "days with a fault": len(failed)})
    assert failed == {}, "add these seeds to REGRESSIONS"
