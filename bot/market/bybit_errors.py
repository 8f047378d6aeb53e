"""What Bybit's return codes and its 403s mean: limits by path and by address, places not served, unknown symbols."""

from bot.market.bad_rows import milliseconds
from bot.market.exchange import ExchangeError, UnknownSymbolError
from bot.market.reply import NotServedError, Reply, SilenceAskedError, TryAgainError

_TOO_FREQUENT_S = 600
_LONGEST_PATH_WAIT_S = 10.0

_PARAMETERS = 10001
_TOO_MANY_VISITS = 10006
_BANNED_OR_TOO_FREQUENT = {10009, 10018}
_NOT_SERVED = 10024
_OVERLOADED = {10000, 10016}


def judge(reply: Reply) -> None:
    """Raise what a Bybit answer means that is no data: HTTP 200 with retCode != 0 is an error too."""
    if reply.status >= 500 or reply.status == 408:
        return
    code, message = _error_of(reply.payload)
    if reply.status == 403:
        raise _forbidden(reply, code)
    if code in (None, 0):
        return
    if code == _TOO_MANY_VISITS:
        raise TryAgainError("too many requests of this kind", wait_s=_until_reset_s(reply))
    if code in _BANNED_OR_TOO_FREQUENT:
        raise SilenceAskedError(_TOO_FREQUENT_S, banned=True)
    if code == _NOT_SERVED:
        raise NotServedError
    if code in _OVERLOADED:
        raise TryAgainError(f"code {code}")
    if code == _PARAMETERS and "symbol" in message.lower():
        raise UnknownSymbolError("Bybit does not know this symbol, or no longer trades it.")
    raise ExchangeError(f"Bybit refused {reply.path}: code {code}: {message[:160] or 'no reason'}.")


def _forbidden(reply: Reply, code: int | None) -> Exception:
    """A page is the content network's geo block; anything else is the limit of 600 requests in 5 s."""
    if code == _NOT_SERVED or (reply.is_page and "too frequent" not in reply.text.lower()):
        return NotServedError()
    return SilenceAskedError(_TOO_FREQUENT_S)


def _until_reset_s(reply: Reply) -> float:
    reset_ms = milliseconds(reply.headers.get("X-Bapi-Limit-Reset-Timestamp"))
    told_ms = milliseconds(reply.payload.get("time"))
    if reset_ms is None:
        return 1.0
    wait_s = (reset_ms - (reply.server_ms if told_ms is None else told_ms)) / 1000
    return min(max(wait_s, 0.1), _LONGEST_PATH_WAIT_S)


def _error_of(payload: object) -> tuple[int | None, str]:
    if isinstance(payload, dict) and isinstance(payload.get("retCode"), int):
        return payload["retCode"], " ".join(str(payload.get("retMsg", "")).split())
    return None, ""
