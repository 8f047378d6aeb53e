"""What the clock brings to a rule: its digest, the reminder of its end, and its end."""

import math

from bot.alerts import digest, expiry
from bot.alerts.judge import Figures
from bot.alerts.market_book import MarketBook
from bot.alerts.types import Event, Kind, Phase, Rule, RuleState, Severity
from bot.alerts.verdicts import Verdicts
from bot.liquidation.values import replace


class ClockRound:
    """Judges the rules of one market that are due at `now_ms`, by the days of their chats."""

    def __init__(self, book: MarketBook, verdicts: Verdicts, *, now_ms: int, day_of: digest.DayOf) -> None:
        self._day_of = day_of
        self._book = book
        self._verdicts = verdicts
        self._now_ms = now_ms

    def judge(self, rule: Rule) -> None:
        """Announce what is due of a rule; each of it once, however late."""
        if rule.kind is Kind.DIGEST and rule.paused_reason is None:
            self._digest(rule)
        state = self._book.state(rule.id, expiry.MATTER)
        due_ms = expiry.due_ms(rule, state)
        if due_ms is not None and due_ms <= self._now_ms:
            self._end(rule, state)

    def _digest(self, rule: Rule) -> None:
        state = self._book.state(rule.id, digest.MATTER)
        day = self._day_of(rule.chat)
        slot_ms = digest.slot_before(rule, self._now_ms, day)
        if slot_ms < digest.due_ms(rule, state.fired_ms, day):
            return
        after = _counted(state, slot_ms, told=0.0)
        if rule.snoozed_until_ms > self._now_ms:
            self._verdicts.note(self._book, replace(after, episode=state.episode))
            return
        reason = "The digest is due."
        self._verdicts.announce(self._book, self._event(rule, after, Kind.DIGEST, slot_ms, reason), after)

    def _end(self, rule: Rule, state: RuleState) -> None:
        after = _counted(state, self._now_ms, told=float(rule.expires_ms))
        over = self._now_ms >= rule.expires_ms
        reason = "The rule has ended." if over else "The rule ends soon."
        event = self._event(rule, after, Kind.EXPIRY, self._now_ms, reason)
        paused = replace(rule, paused_reason=expiry.EXPIRED) if over else None
        self._verdicts.announce(self._book, event, after, paused=paused)

    def _event(self, rule: Rule, state: RuleState, kind: Kind, time_ms: int, reason: str) -> Event:
        reading = self._book.reading
        price = 0.0 if reading is None or not math.isfinite(reading.price) else reading.price
        figures: Figures = ()
        if kind is Kind.EXPIRY:
            figures = ((expiry.EXPIRES, float(rule.expires_ms)), (expiry.LIFE, float(expiry.life_ms(rule))))
        return Event(
            time_ms=time_ms,
            kind=kind,
            market=rule.market,
            rule_id=rule.id,
            chat=rule.chat,
            track_id=state.track_id,
            episode=state.episode,
            severity=Severity.INFO,
            price=price,
            cluster=None,
            value_pct=0.0,
            threshold_pct=rule.threshold_pct,
            window_ms=rule.window_ms,
            reason=reason,
            map_ms=time_ms,
            open_interest="estimated" if reading is None else reading.open_interest,
            figures=figures,
            label=rule.label,
        )


def _counted(state: RuleState, time_ms: int, *, told: float) -> RuleState:
    """The state after one more announcement."""
    last_ms = max(time_ms, state.last_ms)
    return replace(
        state,
        phase=Phase.FIRED,
        episode=state.episode + 1,
        since_ms=time_ms,
        fired_ms=time_ms,
        told=told,
        last_ms=last_ms,
    )
