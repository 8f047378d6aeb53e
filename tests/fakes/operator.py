"""An operator's side of the desk whose state a test can set."""

from bot.liquidation.values import replace
from bot.telegram.desk import BroadcastView, DeadView, OperatorView
from tests.fakes.desk import NOON_MS, believable_status

MINUTE_MS = 60_000
OPERATOR = 11
DEAD = (
    DeadView(1207, 5551, NOON_MS - 3 * MINUTE_MS, "Bad Request: <chat> not found"),
    DeadView(1188, -100200300, NOON_MS - 90 * MINUTE_MS, "could not be composed: UnreadableBlobError('map')"),
)


class FakeOperator:
    """Two undelivered messages; one that is sent after all waits."""

    def __init__(self) -> None:
        self.state = OperatorView(
            waiting=3,
            waiting_since_ms=NOON_MS - 2 * MINUTE_MS,
            dead=2,
            newest_dead=DEAD,
            exchanges=believable_status().exchanges,
            chats=41,
            rules=118,
            active=23,
        )
        self.decided: dict[int, bool] = {}
        self.requeued: list[int] = []

    async def view(self) -> OperatorView:
        return self.state

    async def requeue(self, message: int) -> bool:
        left = tuple(one for one in self.state.newest_dead if one.id != message)
        if left == self.state.newest_dead:
            return False
        self.requeued.append(message)
        self.state = replace(self.state, waiting=self.state.waiting + 1, dead=len(left), newest_dead=left)
        return True

    async def decide(self, guest: int, *, allowed: bool) -> bool:
        if guest == OPERATOR:
            return False
        self.decided[guest] = allowed
        self.state = replace(self.state, turned_away=list(self.decided.values()).count(False))
        return True

    async def draft(self, text: str) -> BroadcastView:
        number = 1 + (self.state.broadcast.id if self.state.broadcast else 0)
        return self._write(BroadcastView(number, text, "draft", self.state.chats))

    async def confirm(self, broadcast: int) -> BroadcastView | None:
        return self._become(broadcast, ("draft",), "sending")

    async def cancel(self, broadcast: int) -> BroadcastView | None:
        return self._become(broadcast, ("draft", "sending", "queued"), "cancelled")

    def _become(self, broadcast: int, before: tuple[str, ...], after: str) -> BroadcastView | None:
        known = self.state.broadcast
        if known is None or known.id != broadcast or known.stage not in before:
            return None
        return self._write(replace(known, stage=after))

    def _write(self, broadcast: BroadcastView) -> BroadcastView:
        self.state = replace(self.state, broadcast=broadcast)
        return broadcast
