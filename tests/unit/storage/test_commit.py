"""One evaluation, one transaction."""

import pytest

from bot.alerts.types import Changes, CloseReason, Event, Phase
from bot.storage.alerts_state import ClusterSample, HistoryRow
from bot.storage.codec import event_to_plain
from bot.storage.database import Database
from bot.storage.outbox import OutboxRow
from bot.storage.slots import Slot
from tests.unit.storage.values import BTC, NOW, ZRX, cluster, event, rule, state, track


def alert(happened: Event) -> OutboxRow:
    return OutboxRow(happened.dedupe_key, happened.chat, event_to_plain(happened), created_ms=happened.time_ms)


async def test_states_tracks_rules_and_messages_are_stored_together(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    fired = state(kept.id, phase=Phase.FIRED, episode=1, fired_ms=NOW, told=1.0)
    changes = Changes(states=(fired,), tracks=(track(),), events=(event(kept.id),))
    slot = Slot("recompute", NOW, ZRX)
    assert await db.commit_changes(changes, [alert(changes.events[0])], slots=[slot], now_ms=NOW) == 1
    assert await db.alerts.states() == [fired]
    assert await db.alerts.open_tracks() == [track()]
    assert await db.outbox.counts() == {"ready": 1}
    assert await db.slots.is_done(slot)


async def test_the_same_event_again_makes_no_second_message(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    changes = Changes(events=(event(kept.id),))
    rows = [alert(changes.events[0])]
    assert await db.commit_changes(changes, rows) == 1
    assert await db.commit_changes(changes, rows) == 0
    assert await db.outbox.counts() == {"ready": 1}


async def test_a_refused_row_takes_the_whole_evaluation_with_it(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    changes = Changes(states=(state(kept.id, phase=Phase.FIRED),), tracks=(track(),))
    with pytest.raises(TypeError, match="function"):
        await db.commit_changes(changes, [OutboxRow("k", 1, {"what": lambda: None}, created_ms=NOW)])
    assert await db.alerts.states() == []
    assert await db.alerts.open_tracks() == []


async def test_a_later_commit_replaces_the_state_and_the_track(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    await db.commit_changes(Changes(states=(state(kept.id),), tracks=(track(), track("t2"))))
    moved = track("t1", cluster=cluster(low=0.22, usd=2.0), missed=1, sizes=(), spans=())
    await db.commit_changes(Changes(states=(state(kept.id, phase=Phase.PENDING, held=1),), tracks=(moved,)))
    assert await db.alerts.states() == [state(kept.id, phase=Phase.PENDING, held=1)]
    assert await db.alerts.open_tracks() == [moved, track("t2")]


async def test_closed_tracks_and_states_are_not_loaded_but_can_be_looked_up(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    gone = track("t9", market=BTC, closed=CloseReason.SWEPT)
    await db.commit_changes(Changes(states=(state(kept.id, "t9", phase=Phase.CLOSED),), tracks=(gone,)))
    assert await db.alerts.states() == []
    assert await db.alerts.open_tracks() == []
    assert await db.alerts.track(BTC, "t9") == gone
    assert await db.alerts.track(ZRX, "t9") is None


async def test_a_state_whose_rule_is_gone_for_good_is_left_out_and_loses_no_other(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    await db.commit_changes(Changes(states=(state(999), state(kept.id))))
    assert await db.alerts.states() == [state(kept.id)]


async def test_states_of_removed_rules_come_back_with_the_rule(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    await db.commit_changes(Changes(states=(state(kept.id, phase=Phase.FIRED),)))
    await db.rules.remove(1, kept.id, now_ms=NOW)
    assert await db.alerts.states() == []
    await db.rules.restore(1, kept.id, removed_since_ms=NOW)
    assert await db.alerts.states_of(kept.id) == [state(kept.id, phase=Phase.FIRED)]
    assert await db.alerts.states() == [state(kept.id, phase=Phase.FIRED)]


async def test_a_pause_that_the_judgement_decides_is_kept(db: Database) -> None:
    kept, _ = await db.rules.add(rule())
    await db.commit_changes(Changes(rules=(rule(id=kept.id, paused_reason="too_often", snoozed_until_ms=5),)))
    stored = await db.rules.get(1, kept.id)
    assert stored is not None
    assert (stored.paused_reason, stored.snoozed_until_ms, stored.threshold_pct) == ("too_often", 5, 1.5)


async def test_cluster_history_is_given_back_by_time(db: Database) -> None:
    sample = ClusterSample("t1", cluster().side, 0.23, 0.24, 0.235, 1e6, 71)
    rows = [HistoryRow(ZRX, NOW + i, (sample,) * i) for i in range(3)]
    await db.commit_changes(Changes(), history=[*rows, HistoryRow(BTC, NOW, ())])
    assert await db.alerts.history(ZRX, start_ms=NOW + 1, end_ms=NOW + 3) == rows[1:]
