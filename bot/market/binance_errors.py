"""What Binance's codes and headers mean: bans, overload, unknown symbols, and its own count of the weight spent."""

import re
from typing import Any

from bot.market.exchange import ExchangeError, UnknownSymbolError
from bot.market.reply import Reply, SilenceAskedError, Spent, TryAgainError

_BAN_WITHOUT_A_TIME_S = 300

_OVER_WEIGHT = -1003
_OVERLOADED = -1008
_UNKNOWN_SYMBOL = {-1121, -1122, -4144}
_BANNED_UNTIL = re.compile(r"banned until (\d{13})")


def judge(reply: Reply) -> None:
    """Raise what a Binance error body or status means; data passes."""
    status = reply.status
    if status in (403, 408, 451) or status >= 500:
        return
    code, message = _error_of(reply.payload)
    if status in (418, 429) or code == _OVER_WEIGHT:
        raise _silence(reply, message)
    if code == _OVERLOADED:
        raise TryAgainError("it is overloaded")
    if code in _UNKNOWN_SYMBOL:
        raise UnknownSymbolError("Binance does not know this symbol, or no longer trades it.")
    if status != 200 and code is not None:
        why = message[:160] or "no reason"
        raise ExchangeError(f"Binance refused {reply.path}: status {status}, code {code}: {why}.")


def spent_weight(reply: Reply) -> Spent | None:
    """The weight of this minute, as the header tells it; the minute ends with the venue's clock."""
    told = reply.headers.get("X-MBX-USED-WEIGHT-1M", "")
    return Spent(int(told), 60 - reply.server_ms / 1000 % 60) if told.isdecimal() else None


def _silence(reply: Reply, message: str) -> SilenceAskedError:
    banned = reply.status == 418
    if (until := _BANNED_UNTIL.search(message)) is not None:
        return SilenceAskedError(reply.retry_after_s, until_ms=int(until[1]) + 1000, banned=True)
    if banned:
        return SilenceAskedError((reply.retry_after_s or _BAN_WITHOUT_A_TIME_S) + 1, banned=True)
    return SilenceAskedError(reply.retry_after_s)


def _error_of(payload: Any) -> tuple[int | None, str]:
    """Code and message of a Binance error body; (None, "") for anything else. Data never has both keys."""
    if isinstance(payload, dict) and isinstance(payload.get("code"), int) and isinstance(payload.get("msg"), str):
        return payload["code"], " ".join(payload["msg"].split())
    return None, ""
