"""What the fake Binance lets through: request weight by the minute, /futures/data by five minutes, 429, then 418."""

from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any, Literal

BAN_S = 120.0
_REFUSALS_BEFORE_A_BAN = 10

DEPTH_WEIGHTS = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}

Verdict = Literal["fine", "too many", "banned"]


def weight_of(path: str, query: Mapping[str, str]) -> int:
    """The documented request weight."""
    match path:
        case "/fapi/v1/klines":
            limit = int(query["limit"]) if query.get("limit", "").isdecimal() else 500
            return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10
        case "/fapi/v1/premiumIndex":
            return 1 if "symbol" in query else 10
        case "/fapi/v1/ticker/24hr":
            return 1 if "symbol" in query else 40
        case "/fapi/v1/depth":
            return DEPTH_WEIGHTS.get(int(query.get("limit", 500)), 10)
        case _:
            return 0 if path.startswith("/futures/data/") else 1


class RequestMeter:
    """Counts in real time as the venue does; `wall` gives seconds. The peaks are what tests assert."""

    def __init__(self, wall: Callable[[], float], *, weight_limit: int, data_limit: int) -> None:
        self._wall = wall
        self.weight_limit = weight_limit
        self.data_limit = data_limit
        self.requests: Counter[str] = Counter()
        self.log: list[tuple[str, dict[str, str]]] = []
        self.requests_while_banned = 0
        self.refused = 0
        self.peak_weight = 0
        self.peak_data_requests = 0
        self.banned_until_s = 0.0
        self._minute = 0
        self._weight = 0
        self._refused_this_minute = 0
        self._data: deque[float] = deque()

    def take(self, path: str, query: Mapping[str, str]) -> Verdict:
        """Count one request and say what becomes of it."""
        now = self._wall()
        self.requests[path] += 1
        self.log.append((path, dict(query)))
        if now < self.banned_until_s:
            self.requests_while_banned += 1
            return "banned"
        self._turn_the_minute()
        self._weight += weight_of(path, query)
        self.peak_weight = max(self.peak_weight, self._weight)
        if path.startswith("/futures/data/"):
            while self._data and self._data[0] <= now - 300:
                self._data.popleft()
            self._data.append(now)
            self.peak_data_requests = max(self.peak_data_requests, len(self._data))
        if self._weight <= self.weight_limit and len(self._data) <= self.data_limit:
            return "fine"
        self.refused += 1
        self._refused_this_minute += 1
        if self._refused_this_minute > _REFUSALS_BEFORE_A_BAN:
            self.ban()
            return "banned"
        return "too many"

    def weight_now(self) -> int:
        """The weight of this minute, as the header tells it."""
        self._turn_the_minute()
        return self._weight

    def ban(self, seconds: float = BAN_S) -> None:
        self.banned_until_s = self._wall() + seconds

    def forgive(self) -> None:
        self.banned_until_s = 0.0
        self._refused_this_minute = 0

    def report(self) -> dict[str, Any]:
        return {
            "requests": dict(self.requests),
            "peak_weight": self.peak_weight,
            "peak_data_requests": self.peak_data_requests,
            "refused": self.refused,
            "requests_while_banned": self.requests_while_banned,
            "banned_until_ms": int(self.banned_until_s * 1000),
        }

    def _turn_the_minute(self) -> None:
        minute = int(self._wall() // 60)
        if minute != self._minute:
            self._minute, self._weight, self._refused_this_minute = minute, 0, 0
