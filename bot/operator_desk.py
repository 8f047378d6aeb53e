"""What /admin shows and does: the outbox, the feeds and the size of the house, for the `ADMIN_IDS`."""

from collections.abc import Callable

from bot.clock import Clock
from bot.guest_book import GuestBook
from bot.status import StatusBoard
from bot.storage.broadcasts import Broadcast
from bot.storage.database import Database
from bot.telegram.desk import BroadcastView, DeadView, OperatorView
from bot.watch import Watch

MOST_DEAD = 5
WEEK_MS = 7 * 86_400_000


class OperatorDesk:
    """Implements `bot.telegram.desk.Operator`. `queued` is called when a message is due again."""

    def __init__(
        self,
        *,
        db: Database,
        status: StatusBoard,
        watch: Watch,
        clock: Clock,
        guests: GuestBook,
        queued: Callable[[], None],
    ) -> None:
        self._db = db
        self._status = status
        self._watch = watch
        self._clock = clock
        self._guests = guests
        self._queued = queued

    async def view(self) -> OperatorView:
        outbox = self._db.outbox_desk
        waiting, dead = await outbox.waiting(), await outbox.dead()
        newest = await outbox.get(sorted(dead)[-MOST_DEAD:])
        return OperatorView(
            waiting=sum(count for count, _ in waiting.values()),
            waiting_since_ms=min((since_ms for _, since_ms in waiting.values()), default=0),
            dead=len(dead),
            newest_dead=tuple(
                DeadView(entry.id, entry.chat, entry.done_ms or entry.due_ms, entry.last_error or "")
                for entry in reversed(newest)
            ),
            exchanges=self._status.view(()).exchanges,
            findings=tuple(self._status.findings()),
            chats=await self._db.chats.count(),
            rules=len(self._watch.rules()),
            active=await self._db.updates.speakers(since_ms=self._clock.now_ms() - WEEK_MS),
            allowlist=self._guests.allowlist,
            let_in=self._guests.let_in,
            turned_away=self._guests.turned_away,
            broadcast=_view(await self._db.broadcasts.newest()),
        )

    async def requeue(self, message: int) -> bool:
        again = await self._db.outbox_desk.requeue([message], now_ms=self._clock.now_ms())
        if again:
            self._queued()
        return bool(again)

    async def decide(self, guest: int, *, allowed: bool) -> bool:
        return await self._guests.decide(guest, allowed=allowed)

    async def draft(self, text: str) -> BroadcastView:
        written = await self._db.broadcasts.draft(text, now_ms=self._clock.now_ms())
        return BroadcastView(written.id, written.text, written.stage, written.chats)

    async def confirm(self, broadcast: int) -> BroadcastView | None:
        return _view(await self._db.broadcasts.confirm(broadcast))

    async def cancel(self, broadcast: int) -> BroadcastView | None:
        return _view(await self._db.broadcasts.cancel(broadcast))


def _view(known: Broadcast | None) -> BroadcastView | None:
    if known is None:
        return None
    return BroadcastView(known.id, known.text, known.stage, known.chats, known.told, known.waiting)
