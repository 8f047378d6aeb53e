"""/admin: for those who run the bot, in private, and for nobody else."""

import pytest

from bot.liquidation.values import replace
from bot.telegram.callbacks import pack
from bot.telegram.findings import Finding, Trouble, finding_words
from bot.telegram.texts import Catalogue
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


async def test_it_begins_with_what_is_wrong_in_the_operators_language() -> None:
    desk, operator = desk_run_by(USER)
    operator.state = replace(operator.state, findings=(Finding(Trouble.NO_PRICES), Finding(Trouble.DEAF, "<conflict>")))
    chat, spaniard = Chat(desk=desk), Chat(desk=desk, language="es")
    await chat.type("/admin")
    assert "2 things are wrong:\nNo exchange gives fresh prices.\nTelegram is not heard: <conflict>" in chat.said
    await spaniard.type("/admin")
    assert "Ningún exchange da precios recientes." in spaniard.said
    operator.state = replace(operator.state, findings=())
    await chat.type("/admin")
    assert "All is well." in chat.said


@pytest.mark.parametrize("language", Catalogue.load().languages)
def test_every_finding_has_its_words_in_every_language(language: str) -> None:
    texts = Catalogue.load().texts(language)
    said = [finding_words(Finding(trouble, "prices", 90.0), texts) for trouble in Trouble]
    assert len(set(said)) == len(Trouble), "none falls back on another"
    assert texts("finding.other", subject="prices", long="") not in said


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


async def test_a_broadcast_goes_out_after_its_preview_was_confirmed_and_once() -> None:
    desk, operator = desk_run_by(USER)
    chat = Chat(desk=desk)
    await chat.type("/admin broadcast We move on <Sunday> & are back at noon.\nNothing is lost.")
    assert "sent to nobody yet" in chat.said
    assert "We move on <Sunday> & are back at noon.\nNothing is lost." in chat.said
    assert operator.state.broadcast is not None
    assert operator.state.broadcast.stage == "draft"
    [send] = [key for key in chat.keys(1) if key.text == "Send to 41 chats"]
    await chat.tap_data(send.data or "")
    assert operator.state.broadcast.stage == "sending"
    await chat.tap_data(send.data or "")
    assert chat.toasts[-1] == "That draft is gone: sent already, or replaced."


async def test_a_broadcast_can_be_stopped_before_and_while_it_goes_out() -> None:
    desk, operator = desk_run_by(USER)
    chat = Chat(desk=desk)
    for going in (False, True):
        await chat.type("/admin broadcast hello")
        if going:
            await chat.tap("Send to 41 chats")
            await chat.tap("Stop the broadcast")
        else:
            await chat.tap("Cancel")
        assert operator.state.broadcast is not None
        assert operator.state.broadcast.stage == "cancelled"
    await chat.tap_data(pack("ac", 2))
    assert chat.toasts[-1] == "There is nothing left to stop."


@pytest.mark.parametrize("data", [pack("ab", 1), pack("ac", 1)])
async def test_nobody_else_sends_or_stops_a_broadcast(data: str) -> None:
    desk, operator = desk_run_by(USER + 1)
    await operator.draft("hello")
    stranger = Chat(desk=desk)
    await stranger.tap_data(data)
    for line in ("/admin broadcast mine", "/admin allow 11"):
        await stranger.type(line)
        assert stranger.said.startswith("I don't know /admin.")
    assert operator.state.broadcast is not None
    assert (operator.state.broadcast.stage, operator.state.broadcast.text) == ("draft", "hello")
    assert operator.decided == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/admin broadcast", "What shall every chat be told?"),
        ("/admin broadcast " + "x" * 1501, "That is too long: 1,500 characters at most."),
        ("/admin allow", "is no id"),
        ("/admin allow everyone", "everyone is no id"),
        ("/admin deny 1e5", "is no id"),
        ("/admin deny -", "is no id"),
        ("/admin deny 99999999999999999999", "is no id"),
        ("/admin deny 11", "11 is one of the ADMIN_IDS"),
        ("/admin reboot", "I did not understand reboot."),
    ],
)
async def test_what_an_operator_gets_wrong_is_explained(line: str, said: str) -> None:
    desk, operator = desk_run_by(USER)
    chat = Chat(desk=desk)
    await chat.type(line)
    assert said in chat.said
    assert operator.decided == {}


async def test_people_and_groups_are_let_in_and_turned_away_by_id() -> None:
    desk, operator = desk_run_by(USER)
    chat = Chat(desk=desk)
    for line in ("/admin allow 123", "/admin deny -1001234567890"):
        await chat.type(line)
    assert operator.decided == {123: True, -1001234567890: False}
