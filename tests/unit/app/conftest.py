"""A console to type commands on, and one small simulated market, made once and recorded once."""

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import main
from bot.logs import restored
from bot.market.simulator import SimulatedMarket, simulate, write_recording
from bot.market.simulator_parameters import SimulationParameters
from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left behind: its exit code and what it printed."""

    code: int
    out: str
    err: str

    def refused(self, code: int = 2) -> str:
        """The one sentence of a command that failed, and nothing beside it."""
        assert self.code == code, (self.code, self.err)
        assert self.err.count("\n") == 1
        assert self.err.endswith("\n")
        assert "Traceback" not in self.err
        assert self.err.startswith("liqwatch: ")
        return self.err.removeprefix("liqwatch: ").rstrip()

    def lines(self) -> list[str]:
        """What a command printed that went well and complained of nothing."""
        assert (self.code, self.err) == (0, "")
        return self.out.splitlines()


Console = Callable[..., Finished]


@pytest.fixture
def liqwatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """Runs `liqwatch` with the given words in an empty folder, with no setting of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def run(*words: object) -> Finished:
        monkeypatch.setattr(sys, "argv", ["liqwatch", *map(str, words)])
        capsys.readouterr()
        code: object = "main returned"
        with restored(), suppress(SystemExit):
            try:
                main()
            except SystemExit as end:
                code = end.code
                raise
        printed = capsys.readouterr()
        assert isinstance(code, int)
        return Finished(code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def market() -> SimulatedMarket:
    """Two days of one market, with few lots."""
    return simulate(SimulationParameters(days=2, warmup_days=1, lots_per_bar=6, tick_s=60, seed=5))


@pytest.fixture(scope="session")
def recording(market: SimulatedMarket, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The market as a recording's folder; never written to."""
    folder = tmp_path_factory.mktemp("recording")
    write_recording([market], folder)
    return folder
