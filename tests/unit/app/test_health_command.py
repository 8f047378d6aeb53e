"""`liqwatch health`: what a running bot says of itself, as an exit code."""

import pytest

from bot.health_server import health_server
from tests.e2e.processes import free_port
from tests.unit.app.conftest import Console


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104 - as inside a container
def port(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, liqwatch: Console) -> int:
    """Where the bot is asked."""
    free = free_port()
    monkeypatch.setenv("METRICS_HOST", request.param)
    monkeypatch.setenv("METRICS_PORT", str(free))
    return free


def test_a_bot_that_is_well_exits_0(port: int, liqwatch: Console) -> None:
    with health_server("127.0.0.1", port, troubles=list, page=bytes):
        assert liqwatch("health").lines() == ["all is well"]


def test_a_bot_that_is_not_tells_what_is_wrong_and_exits_1(port: int, liqwatch: Console) -> None:
    troubles = ["no exchange gives fresh prices", "a message has waited 900 s to be delivered"]
    with health_server("127.0.0.1", port, troubles=lambda: troubles, page=bytes):
        done = liqwatch("health")
    assert (done.code, done.out.splitlines(), done.err) == (1, troubles, "")


def test_a_bot_that_is_not_there_is_one_sentence(port: int, liqwatch: Console) -> None:
    assert liqwatch("health").refused(1).startswith("no bot tells of its health on ")


@pytest.mark.parametrize("value", ["", "0"])
def test_without_a_port_to_ask_that_is_said(value: str, monkeypatch: pytest.MonkeyPatch, liqwatch: Console) -> None:
    monkeypatch.setenv("METRICS_PORT", value)
    assert "METRICS_PORT" in liqwatch("health").refused(2)
