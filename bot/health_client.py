"""Asks the bot that runs on this machine how it does: its `/healthz`, behind METRICS_PORT."""

import http.client
import json
from collections.abc import Sequence
from contextlib import closing

from bot.failures import FailedError, UsageError
from bot.settings import Settings

TIMEOUT_S = 4.0
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - where a bot that is bound to all is asked


def ask_health(settings: Settings) -> Sequence[str]:
    """What the running bot finds wrong, each in a few words; empty while all is well.

    Raises UsageError where it is told nowhere, FailedError where nobody answers.
    """
    if not settings.metrics_port:
        raise UsageError("a running bot tells of its health where METRICS_PORT is set: set it to a port such as 9464")
    host = ANY_ADDRESS.get(settings.metrics_host, settings.metrics_host)
    try:
        with closing(http.client.HTTPConnection(host, settings.metrics_port, timeout=TIMEOUT_S)) as line:
            line.request("GET", "/healthz")
            answer = line.getresponse()
            told = json.loads(answer.read())
            return () if answer.status == http.HTTPStatus.OK else tuple(map(str, told["troubles"]))
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        where = f"{settings.metrics_host} port {settings.metrics_port}"
        raise FailedError(f"no bot tells of its health on {where}: does it run, with this METRICS_PORT?") from error
