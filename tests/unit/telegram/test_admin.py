"""/admin: for those who run the bot, in private, and for nobody else."""

import pytest

from bot.telegram.callbacks import pack
from bot.telegram.turn import Toast
from tests.fakes.chat import Chat
from tests.fakes.desk import FakeDesk
from tests.fakes.operator import FakeOperator

USER = 11
"""Whose phone a Chat is."""


def desk_run_by(user: int) -> tuple[FakeDesk, FakeOperator]:
    desk, operator = FakeDesk(), FakeOperator()
    desk.operators[user] = operator
    return desk, operator


async def test_to_anybody_else_it_is_an_unknown_command() -> None:
    desk, _ = desk_run_by(USER + 1)
    stranger = Chat(desk=desk)
    await stranger.type("/admin")
    assert stranger.said.startswith("I don't know /admin.")
    assert "chat 5551" not in stranger.said


async def test_in_a_group_nothing_is_shown_even_to_an_admin() -> None:
    desk, _ = desk_run_by(USER)
    group = Chat(desk=desk, chat_id=-5, kind="supergroup")
    await group.type("/admin")
    assert group.said.startswith("I don't know /admin.")


@pytest.mark.parametrize("data", [pack("aq", 1207), pack("ad")])
async def test_a_forged_button_does_nothing_for_anybody_else(data: str) -> None:
    desk, operator = desk_run_by(USER + 1)
    stranger = Chat(desk=desk)
    actions = await stranger.tap_data(data)
    assert actions[0] == Toast("This button no longer works.")
    assert operator.requeued == []
    assert "chat 5551" not in stranger.said


async def test_who_is_no_admin_any_more_finds_the_buttons_dead() -> None:
    desk, operator = desk_run_by(USER)
    chat = Chat(desk=desk)
    await chat.type("/admin")
    desk.operators.clear()
    await chat.tap("Requeue #1207")
    assert operator.requeued == []


async def test_a_button_outlives_a_restart_and_a_second_tap_is_told_so() -> None:
    desk, operator = desk_run_by(USER)
    before = Chat(desk=desk)
    await before.type("/admin")
    [button] = [key for key in before.keys(1) if key.text == "Requeue #1207"]
    after = Chat(desk=desk)
    await after.tap_data(button.data or "")
    await after.tap_data(button.data or "")
    assert operator.requeued == [1207]
    assert after.toasts == ["Due again", "That message is no longer among the undelivered."]


@pytest.mark.parametrize("data", ["aq", "aq|", "aq|-1", "aq|x", f"aq|{2**63}"])
async def test_a_button_that_names_no_message_changes_nothing(data: str) -> None:
    desk, operator = desk_run_by(USER)
    chat = Chat(desk=desk)
    await chat.tap_data(data)
    assert operator.requeued == []
    assert chat.toasts == ["That message is no longer among the undelivered."]
