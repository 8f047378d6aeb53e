"""An operator's side of the desk whose state a test can set."""

from dataclasses import replace

from bot.telegram.desk import DeadView, OperatorView
from tests.fakes.desk import NOON_MS, believable_status

MINUTE_MS = 60_000
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
        )
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
