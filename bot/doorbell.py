"""The doorbell: what each chat wishes, remembered, and the gate that rules by it on every alert."""

import logging
from collections.abc import Collection, Iterable, Mapping

from bot.alerts.digest import Day
from bot.alerts.flapping import CHECK_MS, STEPS
from bot.alerts.gate import GROUP_MS, Gate, Hold, Rulings
from bot.alerts.manners import NO_MANNERS, Manners, QuietHours
from bot.alerts.preferences import NO_PREFERENCES, Preferences
from bot.alerts.reasons import Reason
from bot.alerts.types import Changes, Rule
from bot.alerts.verdicts import BREAKER
from bot.liquidation.values import replace
from bot.quiet_hours import quiet_until
from bot.storage.chats import Chat
from bot.storage.codec import event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from bot.telegram.texts.zones import UnknownZoneError, day_of, zone_name

REMEMBERED_MS = (STEPS + 1) * CHECK_MS
"""How far back the gate must remember: its hour's messages, and the checks by which flapping is counted."""

log = logging.getLogger(__name__)


class Doorbell:
    """Holds every chat's wishes in memory, as they are stored. `per_hour` is the budget of messages of a chat."""

    def __init__(self, db: Database, *, per_hour: int, group_ms: int = GROUP_MS) -> None:
        self.per_hour = per_hour
        self._db = db
        self._wishes: dict[int, Chat] = {}
        self._gate = Gate(self.manners, per_hour=per_hour, group_ms=group_ms)

    async def restore(self, *, now_ms: int) -> None:
        """Remember what was told lately and what waits."""
        await self.follow_stored_wishes()
        lately = await self._db.decisions.lately(since_ms=now_ms - REMEMBERED_MS)
        held = {entry.key: entry.reason for entry in lately}
        holds = {
            one.chat: Hold(
                one.dedupe_key, one.since_ms, one.due_ms, one.events, held.get(one.dedupe_key, Reason.HELD_QUIET)
            )
            for one in await self._db.told.holds()
        }
        self._gate.restore(lately, holds)

    async def follow_stored_wishes(self) -> None:
        """Take over the wishes as stored: a chat may have another id now."""
        self._wishes = {chat.id: chat for chat in await self._db.chats.reserved()}

    def manners(self, chat: int) -> Manners:
        """How a chat wants to be told."""
        wishes = self._wishes.get(chat)
        if wishes is None:
            return NO_MANNERS
        quiet = wishes.quiet
        if quiet is None:
            return Manners(wishes.muted_until_ms)
        return Manners(wishes.muted_until_ms, lambda time_ms: _end_of(quiet, time_ms), quiet.critical_passes)

    def quiet_hours(self, chat: int) -> QuietHours | None:
        wishes = self._wishes.get(chat)
        return None if wishes is None else wishes.quiet

    async def set_quiet(self, chat: int, quiet: QuietHours | None, *, now_ms: int) -> None:
        """Keep a chat's quiet hours; what waits goes when they would let it. Raises UnknownZoneError."""
        if quiet is not None:
            quiet = replace(quiet, zone=zone_name(quiet.zone))
        await self._db.chats.ensure(chat, now_ms=now_ms)
        await self._db.chats.set_quiet(chat, quiet)
        await self._changed(chat, now_ms=now_ms)

    def preferences(self, chat: int) -> Preferences:
        """What a chat has chosen."""
        wishes = self._wishes.get(chat)
        return NO_PREFERENCES if wishes is None else wishes.preferences

    def day(self, chat: int) -> Day:
        """The day by which a chat gets its digests."""
        return day_of(self.preferences(chat))

    async def prefer(self, chat: int, chosen: Preferences, *, now_ms: int) -> None:
        """Keep what a chat has chosen; its zone is that of its quiet hours too. Raises UnknownZoneError."""
        if chosen.zone:
            chosen = replace(chosen, zone=zone_name(chosen.zone))
        await self._db.chats.prefer(chat, chosen, now_ms=now_ms)
        await self._changed(chat, now_ms=now_ms)

    async def mute(self, chat: int, until_ms: int, *, now_ms: int) -> None:
        """Hold all of a chat's alerts until then; 0 ends it."""
        await self._db.chats.ensure(chat, now_ms=now_ms)
        await self._db.chats.mute(chat, until_ms)
        await self._changed(chat, now_ms=now_ms)

    def is_silent(self, chat: int, *, now_ms: int) -> bool:
        """Whether a chat is muted now, or in its quiet hours."""
        manners = self.manners(chat)
        return max(manners.muted_until_ms, manners.quiet_until(now_ms)) > now_ms

    def hold_of(self, chat: int, *, now_ms: int) -> Hold | None:
        """What waits for a chat now."""
        return self._gate.hold_of(chat, now_ms=now_ms)

    def rule(self, changes: Changes, *, now_ms: int) -> Rulings:
        """What becomes of each event; to be committed, then applied."""
        return self._gate.rule(changes.events, changes.log, now_ms=now_ms)

    def apply(self, rulings: Rulings) -> None:
        self._gate.apply(rulings)

    def forget(self, chat: int, rule_ids: Collection[int]) -> None:
        """Let go of a chat's wishes, of what waits for it, and of its rules."""
        self._wishes.pop(chat, None)
        self._gate.forget(chat, rule_ids)

    def forget_idle(self, *, now_ms: int) -> None:
        """Let go of what matters no more."""
        self._gate.forget_idle(now_ms=now_ms)

    async def _changed(self, chat: int, *, now_ms: int) -> None:
        stored = await self._db.chats.get(chat)
        if stored is not None:
            self._wishes[chat] = stored
        hold = self._gate.rescheduled(chat, now_ms=now_ms)
        if hold is not None and await self._db.told.reschedule(chat, hold.lead, due_ms=hold.until_ms):
            self._gate.put_hold(chat, hold)


def outbox_rows(rulings: Rulings, *, now_ms: int) -> list[OutboxRow]:
    """The messages that events become; `now_ms` is this machine's clock, by which their lateness is counted."""
    rows = []
    for ruling in rulings.rulings:
        extra: Mapping[str, int] = {}
        if ruling.budget_free_ms:
            extra = {"budget_free_ms": ruling.budget_free_ms, "budget": ruling.budget}
        rows.append(
            OutboxRow(
                ruling.key,
                ruling.event.chat,
                {**event_to_plain(ruling.event), **extra},
                created_ms=now_ms,
                due_ms=ruling.due_ms,
                lead="" if ruling.leads else ruling.lead,
                held=ruling.held,
            )
        )
    return rows


def breaker_notices(changed: Iterable[Rule], *, now_ms: int) -> list[OutboxRow]:
    """Tells once that a rule was paused because it alerted too often."""
    return [
        OutboxRow(
            f"notice:{BREAKER}:{rule.id}:{now_ms}",
            rule.chat,
            {"notice": BREAKER, "rule": rule.id, "exchange": rule.market.exchange, "symbol": rule.market.symbol},
            created_ms=now_ms,
        )
        for rule in changed
        if rule.paused_reason == BREAKER
    ]


def _end_of(quiet: QuietHours, time_ms: int) -> int:
    """The end of the quiet hours; none where this machine no longer knows the zone, which is said."""
    try:
        return quiet_until(quiet, time_ms)
    except UnknownZoneError:
        log.exception("a chat's time zone is not known here: its quiet hours are not kept", extra={"zone": quiet.zone})
        return 0
