"""What rules are due by the clock alone: digests, reminders and ends."""

import heapq

from bot.alerts import digest, expiry
from bot.alerts.market_book import MarketBook
from bot.alerts.types import Kind, Rule


class Calendar:
    """The next due time of each rule that has one; a look costs as much as is due."""

    def __init__(self) -> None:
        self.day_of: digest.DayOf = lambda _chat: digest.UTC_DAY
        self._due: dict[int, int] = {}
        self._heap: list[tuple[int, int]] = []

    def put(self, rule: Rule, book: MarketBook) -> None:
        """Work out when the clock concerns a rule next, by the states of its digest and of its end."""
        times = [expiry.due_ms(rule, book.state(rule.id, expiry.MATTER))] if rule.expires_ms else []
        if rule.kind is Kind.DIGEST and rule.paused_reason is None:
            times.append(self.digest_due_ms(rule, book))
        known = [time_ms for time_ms in times if time_ms is not None]
        if not known:
            self.drop(rule.id)
        elif self._due.get(rule.id) != min(known):
            self._due[rule.id] = min(known)
            heapq.heappush(self._heap, (min(known), rule.id))

    def digest_due_ms(self, rule: Rule, book: MarketBook) -> int:
        """When a digest comes next."""
        return digest.due_ms(rule, book.state(rule.id, digest.MATTER).fired_ms, self.day_of(rule.chat))

    def drop(self, rule_id: int) -> None:
        """Forget a rule."""
        self._due.pop(rule_id, None)

    def due(self, now_ms: int) -> list[int]:
        """The rules that are due, by id; they stay due until they are put again."""
        found: set[int] = set()
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, rule_id = heapq.heappop(self._heap)
            if self._due.get(rule_id) == due_ms:
                found.add(rule_id)
        for rule_id in found:
            heapq.heappush(self._heap, (self._due[rule_id], rule_id))
        return sorted(found)
