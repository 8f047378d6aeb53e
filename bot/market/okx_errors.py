"""What OKX's codes mean: errors come with HTTP 200, every path has its own limit, and nobody tells what is left."""

from bot.market.exchange import ExchangeError, UnknownSymbolError
from bot.market.reply import Reply, TryAgainError

_PATH_LIMIT_S = 2.0

_TOO_MANY_REQUESTS = "50011"
_UNKNOWN_INSTRUMENT = "51001"
_OVERLOADED = {"50001", "50004", "50013", "50026"}


def judge(reply: Reply) -> None:
    """Raise what an OKX answer means that is no data."""
    code, message = _error_of(reply.payload)
    if reply.status == 429 or code == _TOO_MANY_REQUESTS:
        raise TryAgainError("too many requests of this kind", wait_s=_PATH_LIMIT_S)
    if reply.status in (403, 408, 451) or reply.status >= 500 or code in ("", "0"):
        return
    if code == _UNKNOWN_INSTRUMENT:
        raise UnknownSymbolError("OKX does not know this instrument, or no longer trades it.")
    if code in _OVERLOADED:
        raise TryAgainError(f"code {code}")
    raise ExchangeError(f"OKX refused {reply.path}: code {code}: {message[:160] or 'no reason'}.")


def _error_of(payload: object) -> tuple[str, str]:
    if isinstance(payload, dict) and isinstance(payload.get("code"), str):
        return payload["code"], " ".join(str(payload.get("msg", "")).split())
    return "", ""
