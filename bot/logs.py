"""Logging to stderr, as text or JSON lines; secrets are struck out of the final string, however they got there."""

import asyncio
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import IO, Any, Literal

LogFormat = Literal["text", "json"]

_TOKEN = re.compile(r"(?<!\d)\d{6,12}(?::|%3[Aa])[A-Za-z0-9_-]{30,}")
_PASSWORD = re.compile(r"(://[^\s:/@]*:)[^\s@/\"]+@")
_QUIET_LIBRARIES = ("httpx", "httpcore", "telegram", "apscheduler", "websockets", "alembic", "matplotlib", "PIL")
_PLAIN_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_log = logging.getLogger(__name__)


def redact(text: str) -> str:
    """Strike out everything that looks like a bot token, and the password of an address that holds one."""
    return _PASSWORD.sub(r"\1[password]@", _TOKEN.sub("[token]", text))


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """What a call passed as `extra`: the ids that belong to the sentence."""
    return ((name, value) for name, value in vars(record).items() if name not in _PLAIN_RECORD)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    """`time LEVEL logger: sentence key=value`, then the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        tail = "".join(f" {name}={value}" for name, value in _fields(record))
        line = f"{_time(record)} {record.levelname} {record.name}: {record.getMessage()}{tail}"
        return redact("\n".join(part for part in (line, self._trace(record)) if part))

    def _trace(self, record: logging.LogRecord) -> str:
        trace = self.formatException(record.exc_info) if record.exc_info else record.exc_text or ""
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        return "\n".join(part for part in (trace, stack) if part)


class JsonFormatter(TextFormatter):
    """One JSON object a line: time, level, logger, message, the call's own fields, and `trace`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in _fields(record) if name not in line}
        if trace := self._trace(record):
            line["trace"] = trace
        return redact(json.dumps(line, ensure_ascii=False, default=str))


class StderrHandler(logging.StreamHandler[IO[str]]):
    """Writes to what stderr is at the moment; a record that cannot be formatted is told of without its arguments."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is logging's)
        kind = sys.exc_info()[0]
        if kind is None or issubclass(kind, OSError | ValueError):
            return  # stderr itself is gone: there is no one left to tell
        name = redact(f"{record.name} ({record.pathname}:{record.lineno})")
        sys.stderr.write(f"a log record of {name} could not be written: {kind.__name__}\n")


def setup(level: str = "INFO", log_format: LogFormat = "text") -> None:
    """Send all logging, warnings and uncaught exceptions of the process to stderr, without tokens."""
    handler = StderrHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _QUIET_LIBRARIES:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _uncaught_in_thread


def watch_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Log what no task of this loop caught, by what happened and the exception alone.

    asyncio's own handler appends the repr of every object at hand; a short sentence is easier to read and to trust.
    """
    loop.set_exception_handler(_loop_exception)


@contextmanager
def restored() -> Iterator[None]:
    """Leave the process's logging as it was found: for tests, and for commands that call others."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in _QUIET_LIBRARIES}
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        for name, old in levels.items():
            logging.getLogger(name).setLevel(old)
        logging.captureWarnings(capture=False)
        sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        name = args.thread.name if args.thread else "?"
        info = (args.exc_type, args.exc_value, args.exc_traceback)
        _log.critical("uncaught exception in thread %s", name, exc_info=info)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    what = args.err_msg or "exception ignored"
    error = args.exc_value
    info = (type(error), error, args.exc_traceback) if error is not None else None
    _log.error("%s in %s", what, type(args.object).__name__, exc_info=info)


def _loop_exception(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    info = (type(error), error, error.__traceback__) if isinstance(error, BaseException) else None
    future = context.get("future") or context.get("task")
    name = future.get_name() if isinstance(future, asyncio.Task) else "-"
    _log.error("%s", context.get("message", "exception in the event loop"), extra={"task": name}, exc_info=info)
