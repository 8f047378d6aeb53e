"""Logging: levels, both formats, and no token in any line, traceback or repr, whatever failed."""

import asyncio
import gc
import json
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator

import pytest

from bot import logs
from bot.telegram.connection import open_line
from bot.telegram.errors import delivery_error
from tests.unit.telegram.failures import FAILURES, TOKEN, Failure, staged

LOOKS_LIKE_A_TOKEN = re.compile(r"(?<!\d)\d{6,12}:[A-Za-z0-9_-]{30,}")
log = logging.getLogger("test")


@pytest.fixture(autouse=True)
def undisturbed() -> Iterator[None]:
    """The process's logging, as it was found."""
    with logs.restored():
        yield


def clean(text: str) -> str:
    """The text, once it is certain that no token is in it, whole or by its secret half."""
    assert not LOOKS_LIKE_A_TOKEN.search(text)
    assert TOKEN.split(":")[1] not in text
    return text


async def drive(failure: Failure) -> Exception:
    """Make one failure happen; returns what the library raises."""
    async with staged(failure) as line:
        try:
            await failure.request(line)
        except Exception as error:
            return error
    raise AssertionError("it did not fail")


async def test_no_failure_of_a_request_brings_a_token_into_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("DEBUG")
    errors = await asyncio.gather(*map(drive, FAILURES))
    assert any(TOKEN in "".join(traceback.format_exception(error)) for error in errors), "nothing could have leaked"
    clean(capsys.readouterr().err)
    formats: tuple[logs.LogFormat, ...] = ("text", "json")
    for log_format in formats:
        logs.setup("DEBUG", log_format)
        for failure, raw in zip(FAILURES, errors, strict=True):
            for error in (raw, delivery_error(raw, token=TOKEN)):
                request = getattr(error.__cause__, "_request", None)
                url = getattr(request, "url", None)
                fields = {"reason": error, "seen": [error, request]}
                log.error("failed: %s %r %s %s", failure, error, request, url, exc_info=error, extra=fields)
        text = clean(capsys.readouterr().err)
        assert text.count("failed: ") == 2 * len(FAILURES)
        assert "[token]" in text


def test_the_secret_is_found_in_urls_encoded_or_not() -> None:
    assert logs.redact(f"POST https://host/bot{TOKEN}/getMe") == "POST https://host/bot[token]/getMe"
    assert logs.redact(f"/file/bot{TOKEN.replace(':', '%3A')}/x") == "/file/bot[token]/x"
    assert logs.redact("12:30 on 20260101, id 1234567890") == "12:30 on 20260101, id 1234567890"


def test_the_password_of_an_address_is_found() -> None:
    assert logs.redact("at postgresql://me:pa$$:w@db/x or http://db:80/a@b") == (
        "at postgresql://me:[password]@db/x or http://db:80/a@b"
    )


def test_a_line_of_text_has_time_level_logger_sentence_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO", "text")
    log.info("a turn took %d ms", 12, extra={"chat": 42})
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO test: a turn took 12 ms chat=42\n", capsys.readouterr().err
    )


def test_a_line_of_json_is_one_object_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO", "json")
    log.error("it broke\nbadly", exc_info=ValueError(TOKEN), extra={"chat": 42})
    lines = clean(capsys.readouterr().err).splitlines()
    assert len(lines) == 1
    line = json.loads(lines[0])
    assert (line["level"], line["logger"], line["message"], line["chat"]) == ("ERROR", "test", "it broke\nbadly", 42)
    assert line["trace"].endswith("ValueError: [token]")


@pytest.mark.parametrize("library", ["httpx", "httpcore.http11", "telegram.Bot", "apscheduler.scheduler"])
def test_libraries_speak_from_warning_on(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("DEBUG")
    logging.getLogger(library).info("HTTP Request: POST https://host/bot%s/getMe", TOKEN)
    assert capsys.readouterr().err == ""
    logging.getLogger(library).warning("retrying https://host/bot%s/getMe", TOKEN)
    assert "retrying https://host/bot[token]/getMe" in clean(capsys.readouterr().err)


def test_setting_up_twice_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    logs.setup("INFO")
    log.info("once")
    assert capsys.readouterr().err.count("once") == 1


def test_a_record_that_cannot_be_formatted_is_told_of_without_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    log.info("%d messages", TOKEN)
    assert "could not be written: TypeError" in clean(capsys.readouterr().err)


def test_an_uncaught_exception_is_logged_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    sys.excepthook(RuntimeError, RuntimeError(f"/bot{TOKEN}"), None)
    assert "uncaught exception" in clean(capsys.readouterr().err)


def test_an_exception_in_a_thread_is_logged_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")

    def break_down() -> None:
        raise RuntimeError(f"/bot{TOKEN}")

    thread = threading.Thread(target=break_down, name="chart")
    thread.start()
    thread.join()
    assert "uncaught exception in thread chart" in clean(capsys.readouterr().err)


def test_an_exception_in_a_finaliser_is_logged_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    class Doomed:
        def __del__(self) -> None:
            raise RuntimeError(f"/bot{TOKEN}")

    logs.setup("INFO")
    Doomed()
    gc.collect()
    assert "RuntimeError: /bot[token]" in clean(capsys.readouterr().err)


def test_a_warning_is_logged_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.setup("INFO")
        warnings.warn(f"old option in /bot{TOKEN}", stacklevel=1)
        assert "old option in /bot[token]" in clean(capsys.readouterr().err)


async def test_a_task_nobody_awaited_is_logged_without_the_token(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    logs.watch_loop(asyncio.get_running_loop())

    async def break_down() -> None:
        raise RuntimeError(f"/bot{TOKEN}")

    task = asyncio.create_task(break_down(), name="tick")
    await asyncio.wait([task])
    del task
    gc.collect()
    text = clean(capsys.readouterr().err)
    assert "Task exception was never retrieved task=tick" in text
    assert "RuntimeError: /bot[token]" in text


def test_asyncios_own_handler_goes_through_the_formatter_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("INFO")
    loop = asyncio.new_event_loop()
    loop.call_exception_handler({"message": f"fatal error on /bot{TOKEN}", "exception": OSError(TOKEN)})
    loop.close()
    assert "fatal error on /bot[token]" in clean(capsys.readouterr().err)


async def test_a_line_to_telegram_does_not_show_its_token() -> None:
    line = open_line(TOKEN, api_url="http://127.0.0.1:9")
    assert clean(repr(line)) == clean(str(line)) == "Line[token=[token]]"
    await line.shutdown()
