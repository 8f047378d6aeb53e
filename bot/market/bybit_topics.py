"""What one line to Bybit asks for: the topics that are wanted, the requests that ask for them, and what is granted."""

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from typing import Final

from bot.market.bad_rows import BadRows
from bot.market.stream import portions
from bot.market.types import Instrument

LIQUIDATIONS: Final = "allLiquidation."
TICKERS: Final = "tickers."
HEARTBEAT: Final = "BTCUSDT"

MOST_CHARACTERS: Final = 21_000
"""Of all that one line asks for, as it is written in JSON."""

TOPICS_PER_REQUEST: Final = 100

log = logging.getLogger(__name__)


def wanted_topics(listed: Mapping[str, Instrument], followed: Collection[str]) -> tuple[list[str], int]:
    """The topics of one line by their worth (heart-beat, liquidations, followed prices), as many as it may ask for; and
    how many had no room.
    """
    chosen = [native for native, one in listed.items() if one.symbol in followed]
    beat = HEARTBEAT if HEARTBEAT in listed else next(iter(listed))
    topics = dict.fromkeys(
        [
            TICKERS + beat,
            *(LIQUIDATIONS + native for native in dict.fromkeys([*chosen, *listed])),
            *(TICKERS + native for native in chosen),
        ]
    )
    room, fitting = MOST_CHARACTERS, []
    for topic in topics:
        room -= len(topic) + len('"",')
        if room < 0:
            break
        fitting.append(topic)
    return fitting, len(topics) - len(fitting)


class Subscriptions:
    """What one line asked for and was granted. A refused request is halved until the refused topic is alone."""

    def __init__(self, bad: BadRows) -> None:
        self._bad = bad
        self._numbers = count(1)
        self._asked: dict[str, None] = {}
        self._unanswered: dict[str, Sequence[str]] = {}
        self._granted = 0

    @property
    def settled(self) -> bool:
        """Whether all was answered, and something granted."""
        return self._granted > 0 and not self._unanswered

    def towards(self, wanted: Sequence[str]) -> list[str]:
        """The requests that lead from what was asked for to what is wanted."""
        new = [topic for topic in wanted if topic not in self._asked]
        kept = set(wanted)
        old = [topic for topic in self._asked if topic not in kept]
        for topic in old:
            del self._asked[topic]
        self._asked.update(dict.fromkeys(new))
        asked = [self._request(some) for some in portions(new, TOPICS_PER_REQUEST)]
        left = [json.dumps({"op": "unsubscribe", "args": list(some)}) for some in portions(old, TOPICS_PER_REQUEST)]
        return left + asked

    def answered(self, number: object, *, granted: bool) -> list[str]:
        """Note an answer; what is to be asked again in halves."""
        topics = self._unanswered.pop(number, ()) if isinstance(number, str) else ()
        if granted:
            self._granted += len(topics)
            return []
        if len(topics) == 1:
            self._bad.drop("subscriptions", "refused")
            log.info("Bybit does not grant %s", topics[0])
            return []
        middle = len(topics) // 2
        return [self._request(half) for half in (topics[:middle], topics[middle:]) if half]

    def _request(self, topics: Sequence[str]) -> str:
        number = str(next(self._numbers))
        self._unanswered[number] = topics
        return json.dumps({"req_id": number, "op": "subscribe", "args": list(topics)}, ensure_ascii=False)
