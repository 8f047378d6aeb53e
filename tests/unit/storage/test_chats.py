"""Chats that come, go and move."""

import pytest

from bot.alerts.manners import QuietHours
from bot.alerts.preferences import Preferences, Sound, Units
from bot.liquidation.values import replace
from bot.storage.chats import Chat
from bot.storage.database import Database
from tests.unit.storage.values import BTC, NOW, row, rule

GROUP, SUPERGROUP = -500, -1_000_000_000_500


async def test_a_chat_is_made_when_it_first_speaks(db: Database) -> None:
    assert await db.chats.get(7) is None
    assert await db.chats.seen(7, kind="private", now_ms=NOW) == Chat(7, "private", created_ms=NOW)
    assert await db.chats.seen(7, kind="private", now_ms=NOW + 1) == Chat(7, "private", created_ms=NOW)


@pytest.mark.parametrize(("chat", "kind"), [(7, "private"), (GROUP, "group")])
async def test_a_rule_makes_the_chat_it_belongs_to(db: Database, chat: int, kind: str) -> None:
    await db.rules.add(rule(chat=chat))
    assert await db.chats.get(chat) == Chat(chat, kind, created_ms=NOW)


async def test_a_language_is_kept(db: Database) -> None:
    assert not await db.chats.set_language(7, "de")
    await db.chats.seen(7, kind="private", now_ms=NOW)
    assert await db.chats.set_language(7, "de")
    assert await db.chats.seen(7, kind="private", now_ms=NOW) == Chat(7, "private", "de", created_ms=NOW)


async def test_a_chat_that_refuses_the_bot_ends_what_waits_and_comes_alive_when_it_speaks(db: Database) -> None:
    await db.chats.seen(7, kind="private", now_ms=NOW)
    await db.outbox.add([row("a", 7), row("b", 7), row("c", 8)])
    assert await db.chats.deactivate(7, "blocked by the user", now_ms=NOW) == 2
    gone = await db.chats.get(7)
    assert gone is not None
    assert (gone.active, gone.inactive_reason) == (False, "blocked by the user")
    fate = await db.outbox.fate("b")
    assert fate is not None
    assert (fate.state, fate.last_error) == ("dead", "blocked by the user")
    assert await db.outbox.counts() == {"dead": 2, "ready": 1}
    assert (await db.chats.seen(7, kind="private", now_ms=NOW)).active


async def test_a_group_that_becomes_a_supergroup_takes_everything_along(db: Database) -> None:
    made, _ = await db.rules.add(rule(chat=GROUP))
    await db.chats.set_language(GROUP, "es")
    await db.outbox.add([row("a", GROUP), row("b", GROUP)])
    [claimed] = await db.outbox.claim(NOW, "me", 60_000, 10)
    await db.outbox.begin(claimed, now_ms=NOW, lease_ms=60_000)
    for _ in range(2):
        await db.chats.migrate(GROUP, SUPERGROUP, now_ms=NOW)
    assert await db.chats.get(GROUP) is None
    assert await db.chats.get(SUPERGROUP) == Chat(SUPERGROUP, "supergroup", "es", created_ms=NOW)
    assert [moved.id for moved in await db.rules.of_chat(SUPERGROUP)] == [made.id]
    [first] = await db.outbox.claim(NOW, "me", 60_000, 10)
    assert (first.dedupe_key, first.chat, first.repeat) == ("a", SUPERGROUP, False)


async def test_a_supergroup_that_is_known_already_keeps_its_own_settings(db: Database) -> None:
    await db.rules.add(rule(chat=GROUP))
    await db.rules.add(rule(chat=SUPERGROUP, market=BTC))
    await db.chats.set_language(SUPERGROUP, "de")
    await db.chats.migrate(GROUP, SUPERGROUP, now_ms=NOW)
    moved = await db.chats.get(SUPERGROUP)
    assert moved is not None
    assert moved.language == "de"
    assert len(await db.rules.of_chat(SUPERGROUP)) == 2
    assert await db.chats.get(GROUP) is None


async def test_a_supergroup_that_spoke_before_its_move_was_heard_of_gets_what_it_has_not_set(db: Database) -> None:
    night = QuietHours(23 * 60, 7 * 60, "UTC")
    await db.chats.seen(GROUP, kind="group", now_ms=NOW)
    await db.chats.set_language(GROUP, "es")
    await db.chats.set_quiet(GROUP, night)
    await db.chats.mute(GROUP, NOW + 60_000)
    await db.chats.seen(SUPERGROUP, kind="supergroup", now_ms=NOW + 5)
    await db.chats.migrate(GROUP, SUPERGROUP, now_ms=NOW + 6)
    moved = await db.chats.get(SUPERGROUP)
    assert moved == Chat(
        SUPERGROUP,
        "supergroup",
        "es",
        created_ms=NOW + 5,
        muted_until_ms=NOW + 60_000,
        quiet=night,
        preferences=Preferences(zone="UTC"),
    )


async def test_what_was_delivered_to_a_group_is_known_under_its_new_id(db: Database) -> None:
    """A receipt goes where its alert's chat is now; sent to the old id it would pass by what waits for the new one."""
    await db.outbox.add([row("told", GROUP)])
    [claimed] = await db.outbox.claim(NOW, "me", 60_000, 1)
    begun = await db.outbox.begin(claimed, now_ms=NOW, lease_ms=60_000)
    assert begun is not None
    await db.outbox.sent(begun, message_id=5, now_ms=NOW)
    await db.chats.migrate(GROUP, SUPERGROUP, now_ms=NOW)
    fate = await db.outbox.fate("told")
    assert fate is not None
    assert (fate.state, fate.chat, fate.message_id) == ("sent", SUPERGROUP, 5)


CHOSEN = Preferences("ru", "Europe/Moscow", Sound.CRITICAL, 21, "light", "7d", Units.SHARE, "okx")


async def test_what_a_chat_chose_is_kept_and_leads_its_language(db: Database) -> None:
    await db.chats.prefer(7, CHOSEN, now_ms=NOW)
    await db.chats.set_language(7, "en")
    kept = await db.chats.get(7)
    assert kept == Chat(7, "private", "en", created_ms=NOW, preferences=CHOSEN)
    assert kept.spoken == "ru"
    assert await db.chats.reserved() == [kept]
    await db.chats.prefer(7, replace(CHOSEN, language=""), now_ms=NOW)
    kept = await db.chats.get(7)
    assert kept is not None
    assert kept.spoken == "en"


async def test_a_chat_has_one_zone_for_its_quiet_hours_and_its_clock(db: Database) -> None:
    await db.chats.seen(7, kind="private", now_ms=NOW)
    night = QuietHours(23 * 60, 7 * 60, "Europe/Berlin")
    assert await db.chats.set_quiet(7, night)
    kept = await db.chats.get(7)
    assert kept is not None
    assert kept.preferences == Preferences(zone="Europe/Berlin")
    await db.chats.prefer(7, replace(CHOSEN, zone="Asia/Tokyo"), now_ms=NOW)
    kept = await db.chats.get(7)
    assert kept is not None
    assert kept.quiet == replace(night, zone="Asia/Tokyo")
    assert not await db.chats.set_quiet(8, night)


@pytest.mark.parametrize("chosen_before", [None, Preferences(language="es")])
async def test_what_a_group_chose_goes_with_it_where_the_new_one_has_chosen_nothing(
    db: Database, chosen_before: Preferences | None
) -> None:
    await db.chats.prefer(GROUP, CHOSEN, now_ms=NOW)
    await db.chats.seen(SUPERGROUP, kind="supergroup", now_ms=NOW)
    if chosen_before is not None:
        await db.chats.prefer(SUPERGROUP, chosen_before, now_ms=NOW)
    await db.chats.migrate(GROUP, SUPERGROUP, now_ms=NOW)
    moved = await db.chats.get(SUPERGROUP)
    assert moved is not None
    assert moved.preferences == (chosen_before or CHOSEN)
