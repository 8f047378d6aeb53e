"""What each failure of a request means: one table, each row made by a real server's real behaviour."""

import traceback
import warnings
from datetime import timedelta

import pytest
from telegram.error import RetryAfter

from bot.delivery.messenger import BadMessageError, ChatMigratedError, DeliveryError, NotSentError
from bot.telegram.errors import delivery_error, translated
from tests.unit.telegram.failures import FAILURES, TOKEN, Failure, staged


async def fail(failure: Failure) -> DeliveryError:
    """Make the failure happen; returns what came out of it."""
    async with staged(failure) as line:
        with pytest.raises(DeliveryError) as caught:
            await translated(failure.request(line), token=line.token)
    return caught.value


@pytest.mark.parametrize("failure", FAILURES, ids=str)
async def test_each_failure_has_one_meaning_and_tells_no_token(failure: Failure) -> None:
    error = await fail(failure)
    assert type(error) is failure.meaning or (
        failure.meaning is BadMessageError and type(error).__mro__[1] is BadMessageError
    ), f"{error!r} is no {failure.meaning.__name__}"
    assert error.__cause__ is None
    assert error.__context__ is None, "the original exception leads to the request, and its URL to the token"
    assert TOKEN not in "".join(traceback.format_exception(error)) + repr(error) + str(error)


async def failure_named(name: str) -> DeliveryError:
    return await fail(next(failure for failure in FAILURES if failure.name == name))


async def test_a_flood_wait_says_how_long() -> None:
    error = await failure_named("429")
    assert isinstance(error, NotSentError)
    assert error.retry_after_s == 7.0


async def test_a_migration_says_where_to() -> None:
    error = await failure_named("migrated")
    assert isinstance(error, ChatMigratedError)
    assert error.new_chat_id == -100777


@pytest.mark.parametrize("as_timedelta", ["true", "false"])
@pytest.mark.parametrize("wait", [7, timedelta(seconds=7)])
def test_retry_after_is_read_as_int_and_as_timedelta(
    as_timedelta: str, wait: int | timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", as_timedelta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        error = delivery_error(RetryAfter(wait), token=TOKEN)
    assert isinstance(error, NotSentError)
    assert error.retry_after_s == 7.0


def test_an_exception_nobody_knows_is_an_unknown_outcome_without_its_text() -> None:
    error = delivery_error(KeyError(f"/bot{TOKEN}/sendMessage"), token=TOKEN)
    assert str(error) == "the reply could not be read: KeyError"


def test_every_meaning_has_a_row() -> None:
    meanings = {failure.meaning for failure in FAILURES}
    leaves = {kind for kind in all_kinds(DeliveryError) if not kind.__subclasses__()}
    assert leaves <= meanings


def all_kinds(kind: type[DeliveryError]) -> set[type[DeliveryError]]:
    return {kind}.union(*(all_kinds(below) for below in kind.__subclasses__()))
