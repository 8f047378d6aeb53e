"""What /admin reads and does, on a real outbox."""

from collections.abc import AsyncIterator

import pytest

from bot.app import App, Limits, World
from bot.broadcasting import BUSY
from bot.clock import StepClock
from bot.health import Health
from bot.market.simulator import SimulatedMarket
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from bot.telegram.findings import Finding, Trouble
from bot.telegram.turn import Inbound, Reply
from tests.unit.app.scenes import START_MS, Inbox, playing

ADMIN, OTHER = 42, 43


@pytest.fixture
async def db() -> AsyncIterator[Database]:
    async with await Database.open("sqlite://", inline=True) as opened:
        yield opened


@pytest.fixture
async def app(market: SimulatedMarket, db: Database) -> App:
    clock = StepClock(START_MS)
    world = World({"simulated": playing(market, clock)}, db, Inbox(), clock, frozenset({"simulated"}))
    app = await App.build(world, Limits(history_days=1, admin_ids=(ADMIN,)))
    await _fill(db)
    return app


async def _fill(db: Database) -> None:
    """Chats 1 to 7 were refused one message each, 8 was told of its own in a summary, 9 still waits; 10 has left."""
    for chat in range(1, 10):
        await db.chats.seen(chat, kind="private", now_ms=START_MS)
        await db.outbox.add([OutboxRow(f"key-{chat}", chat, {"text": "hello"}, START_MS + chat)])
    rows = await db.outbox.claim(START_MS + 10, "me", 60_000, 10)
    for row in rows[:7]:
        await db.outbox.bury(row, error=f"Bad Request: refused by {row.chat}", now_ms=START_MS + 10)
    await db.outbox.bury(rows[7], error="expired: told in the summary that message 1 is", now_ms=START_MS + 10)
    await db.outbox.put_back(rows[8], due_ms=START_MS + 9)
    await db.chats.seen(10, kind="private", now_ms=START_MS)
    await db.chats.deactivate(10, "blocked", now_ms=START_MS)


def test_only_those_named_in_the_settings_are_operators(app: App) -> None:
    assert app.desk.operator(ADMIN) is not None
    assert app.desk.operator(OTHER) is None
    assert app.desk.operator(None) is None


async def test_it_tells_what_waits_and_the_newest_five_that_ended_with_their_reasons(app: App) -> None:
    operator = app.desk.operator(ADMIN)
    assert operator is not None
    view = await operator.view()
    assert (view.waiting, view.waiting_since_ms) == (1, START_MS + 9)
    assert view.dead == 7
    assert [one.chat for one in view.newest_dead] == [7, 6, 5, 4, 3]
    assert view.newest_dead[0].reason == "Bad Request: refused by 7"
    assert view.newest_dead[0].ended_ms == START_MS + 10
    assert [one.exchange for one in view.exchanges] == ["simulated"]
    assert (view.chats, view.rules) == (9, 0)


async def test_it_shows_what_health_finds(app: App, db: Database) -> None:
    operator = app.desk.operator(ADMIN)
    assert operator is not None
    assert (await operator.view()).findings == ()
    health = Health(db, StepClock(START_MS), price_ages=dict, ears=lambda: "conflict", standstills=list)
    app.status.findings = health.findings
    await health.look()
    assert (await operator.view()).findings == tuple(health.findings()) == (Finding(Trouble.DEAF, "conflict"),)


async def test_a_requeued_message_is_due_at_once_and_only_a_dead_one_can_be(app: App) -> None:
    operator = app.desk.operator(ADMIN)
    assert operator is not None
    newest = (await operator.view()).newest_dead[0]
    assert await operator.requeue(newest.id)
    assert not await operator.requeue(newest.id)
    assert not await operator.requeue(0)
    view = await operator.view()
    assert (view.waiting, view.dead) == (2, 6)


async def test_the_page_reaches_the_admin_and_nobody_else(app: App) -> None:
    for user, shown in ((ADMIN, True), (OTHER, False)):
        [reply] = await app.conversation.answer(Inbound(1, user, user_id=user, text="/admin"))
        assert isinstance(reply, Reply)
        assert ("refused by 7" in reply.message.text) is shown


async def test_a_broadcast_goes_out_once_confirmed_and_waits_while_much_else_does(app: App, db: Database) -> None:
    operator = app.desk.operator(ADMIN)
    assert operator is not None
    draft = await operator.draft("Hello <all>")
    await app.broadcasting.go_on()
    assert (await operator.view()).waiting == 1, "nothing goes out unconfirmed"
    assert await operator.confirm(draft.id) is not None
    await db.outbox.add([OutboxRow(f"crowd-{n}", 1000 + n, {"text": "x"}, START_MS) for n in range(BUSY)])
    await app.broadcasting.go_on()
    assert (await operator.view()).waiting == BUSY + 1
    for row in await db.outbox.claim(START_MS + 20, "me", 60_000, 2 * BUSY):
        await db.outbox.bury(row, error="gone", now_ms=START_MS + 20)
    await app.broadcasting.go_on()
    told = (await operator.view()).broadcast
    assert told is not None
    assert (told.chats, told.waiting) == (9, 9)


async def test_a_broadcast_arrives_as_its_preview_shows_it_and_without_a_sound(app: App, db: Database) -> None:
    [preview] = await app.conversation.answer(
        Inbound(1, ADMIN, user_id=ADMIN, text="/admin broadcast Hello <all>", language="en")
    )
    assert isinstance(preview, Reply)
    draft = await db.broadcasts.newest()
    assert draft is not None
    await db.broadcasts.confirm(draft.id)
    await app.broadcasting.go_on()
    row = next(one for one in await db.outbox.claim(START_MS + 20, "me", 60_000, 20) if "notice" in one.payload)
    message = await app.composer.compose(row)
    assert message.silent
    assert message.text in preview.message.text
    assert "Hello &lt;all&gt;" in message.text
