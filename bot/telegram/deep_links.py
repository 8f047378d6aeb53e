"""Links that open the bot in private at the right place: `t.me/bot?start=m_binance-BTCUSDT`.

A start parameter has at most 64 characters out of A-Z, a-z, 0-9, _ and -.
"""

import re
from urllib.parse import urlencode

from bot.alerts.grammar import VENUE_WORDS

WATCH, MAP = "w_", "m_"
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MARKET = re.compile(rf"({'|'.join(VENUE_WORDS)})[-_](.+)", re.ASCII | re.IGNORECASE)


def start_link(bot_name: str, payload: str = "") -> str:
    """The address of the bot; with a payload that it cannot carry, of its beginning."""
    return f"https://t.me/{bot_name}" + (f"?start={payload}" if _PAYLOAD.fullmatch(payload) else "")


def share_link(bot_name: str | None, payload: str) -> str | None:
    """What opens Telegram's own choice of a chat to pass a start link on to; None where no such link can be made."""
    if bot_name is None or not _PAYLOAD.fullmatch(payload):
        return None
    return f"https://t.me/share/url?{urlencode({'url': start_link(bot_name, payload)})}"


def market_payload(kind: str, market: str) -> str:
    """What opens the watch or the map of a market, given as `callbacks.market_arg` writes it."""
    return f"{kind}{market.replace(':', '-')}"


def market_in(payload: str, kind: str) -> str | None:
    """The market of a payload of this kind, as `Desk.resolve` reads it; a bare symbol stays one. None: another kind."""
    if not payload.startswith(kind):
        return None
    return _MARKET.sub(r"\1:\2", payload.removeprefix(kind), count=1)
