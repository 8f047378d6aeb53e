"""The gate between what was decided and what rings: it groups, holds, and lets through, and names the reason.

Nothing is dropped. An event goes out at once or with others of the same few seconds, or waits until the chat wants to
hear again and then comes with all that waited, as one message. Pure: the caller commits the rulings in the same
transaction as the states, and then calls `apply`; a failed commit leaves the gate as it was.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from bot.alerts.flapping import STEADY, Pair, Turning
from bot.alerts.manners import NO_MANNERS, Manners
from bot.alerts.reasons import HELD, TURNS, Reason
from bot.alerts.types import Event, Kind, LogEntry, Severity
from bot.liquidation.values import replace

GROUP_MS = 5_000
"""Events of one chat within so long become one message."""

HOUR_MS = 3_600_000
ALERTS_PER_HOUR = 12

APART = frozenset({Kind.DIGEST, Kind.EXPIRY})
"""Silent messages of their own, which nothing holds: what they say cannot be said in a row of a table."""

_SETTLING_STEPS = 4


@dataclass(frozen=True, slots=True)
class Hold:
    """Events that wait: the key of the first of them, since when, until when, how many, and why the first had to."""

    lead: str
    since_ms: int
    until_ms: int
    events: int
    reason: Reason


class Memory(Struct, frozen=True, gc=False):
    """What the gate remembers of a chat: the messages of the last hour, the group still open, what is held."""

    told_ms: tuple[int, ...] = ()
    group: str = ""
    group_until_ms: int = 0
    hold: Hold | None = None


BLANK = Memory()


class Ruling(Struct, frozen=True, gc=False):
    """What becomes of an event, known by its dedupe `key`: its message is that of the event `lead` (its own where it
    leads), due at `due_ms`.

    `held` tells that it waits. On the message that uses the hour's budget up, `budget` is how many there were, and
    `budget_free_ms` when there is room again.
    """

    event: Event
    key: str
    reason: Reason
    lead: str
    due_ms: int
    held: bool = False
    budget_free_ms: int = 0
    budget: int = 0

    @property
    def leads(self) -> bool:
        return self.lead == self.key


class Rulings(Struct, frozen=True, gc=False):
    """All rulings of one evaluation, with what the gate is to remember once they are committed."""

    rulings: tuple[Ruling, ...] = ()
    memories: Mapping[int, Memory] = {}
    turnings: Mapping[Pair, Turning] = {}

    def log(self, now_ms: int) -> tuple[LogEntry, ...]:
        """A line for each event."""
        return tuple(
            LogEntry(
                time_ms=now_ms,
                reason=ruling.reason,
                market=ruling.event.market,
                chat=ruling.event.chat,
                rule_id=ruling.event.rule_id,
                track_id=ruling.event.track_id,
                episode=ruling.event.episode,
                value_pct=ruling.event.value_pct,
                price=ruling.event.price,
                until_ms=ruling.due_ms if ruling.held else ruling.budget_free_ms,
                key=ruling.key,
                lead=ruling.lead,
            )
            for ruling in self.rulings
        )


class Gate:
    """Rules on events, chat by chat. `manners` knows each chat's wishes, `per_hour` is the budget of messages."""

    def __init__(
        self,
        manners: Callable[[int], Manners] = lambda _chat: NO_MANNERS,
        *,
        per_hour: int = ALERTS_PER_HOUR,
        group_ms: int = GROUP_MS,
    ) -> None:
        self._manners = manners
        self._per_hour = per_hour
        self._group_ms = group_ms
        self._memories: dict[int, Memory] = {}
        self._turnings: dict[Pair, Turning] = {}

    def rule(self, events: Iterable[Event], turns: Iterable[LogEntry] = (), *, now_ms: int) -> Rulings:
        """Rule on the events of one evaluation; `turns` are the log's lines of the same, for flapping."""
        turnings: dict[Pair, Turning] = {}
        self._turn(turnings, [entry for entry in turns if entry.reason in TURNS])
        memories: dict[int, Memory] = {}
        rulings = []
        for event in events:
            if event.kind in APART:
                key = event.dedupe_key
                rulings.append(Ruling(event, key, Reason.TOLD, key, now_ms))
                continue
            pair = (event.rule_id, event.track_id)
            turning = turnings.get(pair) or self._turnings.get(pair, STEADY)
            if event.episode > 1:
                turning = turnings[pair] = turning.turned(now_ms)
            memory = memories.get(event.chat) or _as_of(self._memories.get(event.chat, BLANK), now_ms)
            ruling, memories[event.chat] = self._rule_one(event, memory, flaps=turning.flaps(now_ms), now_ms=now_ms)
            rulings.append(ruling)
        return Rulings(tuple(rulings), memories, turnings)

    def apply(self, rulings: Rulings) -> None:
        """Take over what has been committed."""
        self._memories.update(rulings.memories)
        self._turnings.update(rulings.turnings)

    def restore(self, log: Iterable[LogEntry], holds: Mapping[int, Hold]) -> None:
        """Remember after a restart: the log's last hours in order of time, and what is held now."""
        for entry in log:
            memory = self._memories.get(entry.chat, BLANK)
            if entry.reason is Reason.TOLD:
                self._memories[entry.chat] = replace(memory, told_ms=(*memory.told_ms, entry.time_ms))
            elif entry.reason in HELD and entry.key == entry.lead:
                self._memories[entry.chat] = replace(memory, told_ms=(*memory.told_ms, entry.until_ms))
            if entry.reason in TURNS or (entry.key and entry.episode > 1):
                self._turn(self._turnings, (entry,))
        for chat, hold in holds.items():
            memory = self._memories.get(chat, BLANK)
            told_ms = tuple(time_ms for time_ms in memory.told_ms if time_ms != hold.until_ms)
            self._memories[chat] = replace(memory, told_ms=told_ms, hold=hold)

    def hold_of(self, chat: int, *, now_ms: int) -> Hold | None:
        """What waits for a chat now."""
        return _as_of(self._memories.get(chat, BLANK), now_ms).hold

    def rescheduled(self, chat: int, *, now_ms: int) -> Hold | None:
        """The hold of a chat whose wishes have changed, with its new end; None where nothing waits.

        What was held by the budget or as flapping stays so until its own time, or longer.
        """
        hold = self.hold_of(chat, now_ms=now_ms)
        if hold is None:
            return None
        own_ms = hold.until_ms if hold.reason in (Reason.HELD_BUDGET, Reason.HELD_FLAPPING) else now_ms
        return replace(hold, until_ms=self._audible_ms(chat, own_ms))

    def put_hold(self, chat: int, hold: Hold) -> None:
        """Take over a hold whose new end has been committed."""
        self._memories[chat] = replace(self._memories.get(chat, BLANK), hold=hold)

    def forget(self, chat: int, rule_ids: Collection[int]) -> None:
        """Let go of a chat and of its rules."""
        self._memories.pop(chat, None)
        self._turnings = {pair: one for pair, one in self._turnings.items() if pair[0] not in rule_ids}

    def forget_idle(self, *, now_ms: int) -> None:
        """Let go of chats and pairs of which nothing matters any more."""
        self._turnings = {pair: one for pair, one in self._turnings.items() if not one.is_over(now_ms)}
        current = {chat: _as_of(memory, now_ms) for chat, memory in self._memories.items()}
        self._memories = {chat: memory for chat, memory in current.items() if memory.told_ms or memory.hold}

    def _rule_one(self, event: Event, memory: Memory, *, flaps: bool, now_ms: int) -> tuple[Ruling, Memory]:
        key = event.dedupe_key
        reason, until_ms = self._obstacle(event, memory, flaps=flaps, now_ms=now_ms)
        if reason is not None:
            return _held(event, key, memory, reason, until_ms, now_ms)
        urgent = event.severity is Severity.CRITICAL
        if memory.group and now_ms < memory.group_until_ms:
            due_ms = now_ms if urgent else memory.group_until_ms
            ruling = Ruling(event, key, Reason.GROUPED, memory.group, due_ms)
            return ruling, Memory(memory.told_ms, memory.group, max(due_ms, now_ms + 1), memory.hold)
        told_ms = (*memory.told_ms, now_ms)
        due_ms = now_ms if urgent else now_ms + self._group_ms
        free_ms = told_ms[-self._per_hour] + HOUR_MS if len(told_ms) == self._per_hour else 0
        budget = self._per_hour if free_ms else 0
        ruling = Ruling(event, key, Reason.TOLD, key, due_ms, budget_free_ms=free_ms, budget=budget)
        # Of one evaluation all are told of together, also where none waits for the next.
        return ruling, Memory(told_ms, key, max(due_ms, now_ms + 1), memory.hold)

    def _obstacle(self, event: Event, memory: Memory, *, flaps: bool, now_ms: int) -> tuple[Reason | None, int]:
        """Why an event must wait and until when; (None, 0) where it need not.

        A message that waits has its place in the budget reserved, so that it never makes one too many.
        """
        manners = self._manners(event.chat)
        urgent = event.severity is Severity.CRITICAL
        spent = len(memory.told_ms) >= self._per_hour
        free_ms = memory.told_ms[-self._per_hour] + HOUR_MS if spent else now_ms
        if not (urgent and manners.critical_passes):
            if manners.muted_until_ms > now_ms:
                return Reason.HELD_MUTED, self._audible_ms(event.chat, free_ms)
            if manners.quiet_until(now_ms) > now_ms:
                return Reason.HELD_QUIET, self._audible_ms(event.chat, free_ms)
        if urgent or (memory.group and now_ms < memory.group_until_ms):
            return None, 0
        if flaps:
            return Reason.HELD_FLAPPING, self._audible_ms(event.chat, now_ms + HOUR_MS)
        reserved = memory.hold is not None
        queueing = memory.hold is not None and memory.hold.reason is Reason.HELD_BUDGET
        if queueing or len(memory.told_ms) + reserved >= self._per_hour:
            return Reason.HELD_BUDGET, self._audible_ms(event.chat, free_ms)
        return None, 0

    def _audible_ms(self, chat: int, time_ms: int) -> int:
        """The first moment from `time_ms` on at which the chat is neither muted nor quiet."""
        manners = self._manners(chat)
        for _ in range(_SETTLING_STEPS):
            later_ms = max(time_ms, manners.muted_until_ms, manners.quiet_until(time_ms))
            if later_ms == time_ms:
                break
            time_ms = later_ms
        return time_ms

    def _turn(self, turnings: dict[Pair, Turning], entries: Iterable[LogEntry]) -> None:
        """Note in `turnings` that these pairs turned, after what was known of them."""
        for entry in entries:
            pair = (entry.rule_id, entry.track_id)
            turnings[pair] = (turnings.get(pair) or self._turnings.get(pair, STEADY)).turned(entry.time_ms)


def _held(event: Event, key: str, memory: Memory, reason: Reason, until_ms: int, now_ms: int) -> tuple[Ruling, Memory]:
    """The event waits, with what waits already."""
    hold = memory.hold
    if hold is None:
        hold = Hold(key, now_ms, until_ms, 0, reason)
    hold = replace(hold, events=hold.events + 1)
    return Ruling(event, key, reason, hold.lead, hold.until_ms, held=True), replace(memory, hold=hold)


def _as_of(memory: Memory, now_ms: int) -> Memory:
    """The memory at a time: what was held until before is told, and what was told over an hour ago is no burden.

    Times ahead of now are of a clock that was put back since, and count for nothing.
    """
    told_ms, hold = memory.told_ms, memory.hold
    if hold is not None and hold.until_ms <= now_ms:
        told_ms, hold = (*told_ms, hold.until_ms), None
    told_ms = tuple(sorted([time_ms for time_ms in told_ms if now_ms - HOUR_MS < time_ms <= now_ms]))
    return Memory(told_ms, memory.group, memory.group_until_ms, hold)
