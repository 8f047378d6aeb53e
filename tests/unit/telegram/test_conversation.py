"""What each command and each button does, and that nothing a person sends stays without an answer."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.alerts.types import Kind
from bot.liquidation.types import Side
from bot.liquidation.values import replace
from bot.telegram.asking import COMMANDS
from bot.telegram.commands.welcome import HELP_TOPICS
from bot.telegram.conversation import Conversation, Edit, Inbound, Reply, Toast
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, ChatKind
from tests.fakes.chat import Chat, check_limits
from tests.fakes.desk import CHINESE, NOON_MS, PNG, FakeDesk, market

HOUR_MS = 3_600_000
OTHER_CHAT = 8


def kinds(actions: list[Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


async def watching(*lines: str) -> Chat:
    chat = Chat()
    for line in lines:
        await chat.type(f"/watch {line}")
    return chat


async def test_three_taps_lead_from_start_to_a_watch() -> None:
    chat = Chat()
    await chat.type("/start")
    await chat.tap("ZRX")
    actions = await chat.tap("Normal 2.5%")
    assert kinds(actions) == ["Toast", "Edit"]
    (view,) = await chat.desk.rules(chat.chat_id)
    assert (view.rule.market, view.rule.threshold_pct) == (market("ZRXUSDT"), 2.5)
    assert view.rule.created_ms == NOON_MS


async def test_one_line_makes_the_rule_it_says() -> None:
    chat = await watching("BTC short grow 30% 4h 10M")
    (view,) = await chat.desk.rules(chat.chat_id)
    rule = view.rule
    assert (rule.kind, rule.threshold_pct, rule.window_ms) == (Kind.GROWTH, 30.0, 4 * HOUR_MS)
    assert (rule.side, rule.min_usd, rule.chat) == (Side.SHORT, 10e6, chat.chat_id)


async def test_a_symbol_alone_gets_the_markets_own_normal_distance() -> None:
    chat = await watching("ZRX", "BTC short")
    assert [view.rule.threshold_pct for view in await chat.desk.rules(chat.chat_id)] == [2.5, 1.0]


async def test_a_command_is_known_in_any_case_and_with_the_bots_name() -> None:
    chat = Chat()
    await chat.type("/WATCH@LiqwatchBot   BTC\n1%")
    assert "Watching BTC" in chat.said
    await chat.type("Watch ETH 1%")
    assert "Watching ETH" in chat.said


async def test_characters_that_nobody_sees_are_not_read() -> None:
    chat = Chat()
    await chat.type("\u202d/watch\u200b BTC\u2060 1%\ufeff")
    assert chat.said.startswith("Watching BTC: price within 1% of a cluster, strength 60 or more.")


async def test_a_wrong_word_after_a_market_of_one_exchange_leads_to_the_ranges() -> None:
    chat = Chat()
    await chat.type("/map BTC gate")
    assert chat.said == "gate is neither an exchange I read BTC from nor a range. Choose a range:"
    await chat.tap("7d")
    assert "Only positions opened in the last 7\xa0days." in chat.said


async def test_a_table_keeps_its_range_to_the_map_and_back() -> None:
    chat = Chat()
    await chat.type("/clusters BTC 7d")
    for button in ("Refresh", "Map", "Table"):
        assert "Only positions opened in the last 7\xa0days." in chat.said
        await chat.tap(button)
    assert "Only positions opened in the last 7\xa0days." in chat.said
    await chat.type("/clusters BTC")
    assert "Only positions" not in chat.said


async def test_the_same_rule_again_is_not_doubled() -> None:
    chat = await watching("BTC 1%", "BTC 1%")
    assert "already watch" in chat.said
    assert len(await chat.desk.rules(chat.chat_id)) == 1


async def test_another_sensitivity_replaces_the_rule() -> None:
    chat = await watching("BTC 1%")
    await chat.tap("Fast 2%")
    assert [view.rule.threshold_pct for view in await chat.desk.rules(chat.chat_id)] == [2.0]
    assert "✓ Fast 2%" in [button.text for button in chat.keys(1)]


async def test_the_chosen_sensitivity_tapped_again_changes_nothing() -> None:
    chat = await watching("BTC 1%")
    assert kinds(await chat.tap("✓ Normal 1%")) == ["Toast"]
    assert [view.rule.id for view in await chat.desk.rules(chat.chat_id)] == [1]


async def test_a_sensitivity_can_be_changed_while_there_is_no_map() -> None:
    chat = await watching("BTC 1%")
    chat.desk.unavailable["BTCUSDT"] = "exchange_down"
    await chat.tap("Fast 2%")
    assert [(view.rule.id, view.rule.threshold_pct) for view in await chat.desk.rules(chat.chat_id)] == [(1, 2.0)]
    assert "Watching BTC: price within 2%" in chat.said


async def test_a_typo_offers_the_nearest_and_keeps_the_rest_of_the_line() -> None:
    chat = Chat()
    await chat.type("/watch BTV short 2% 10M")
    await chat.tap("BTC")
    (view,) = await chat.desk.rules(chat.chat_id)
    assert (view.rule.threshold_pct, view.rule.side, view.rule.min_usd) == (2.0, Side.SHORT, 10e6)


async def test_a_typo_before_a_very_long_line_still_leads_to_the_market() -> None:
    chat = Chat()
    await chat.type("/watch BTV short 2% strength at least 80 over at least 10.000.000,00 usd")
    await chat.tap("BTC")
    assert "How near" in chat.said


async def test_a_plain_rule_is_offered_before_it_is_made() -> None:
    chat = Chat()
    await chat.type("BTC 0.5%")
    assert not await chat.desk.rules(chat.chat_id)
    await chat.tap("Yes, watch")
    assert len(await chat.desk.rules(chat.chat_id)) == 1


async def test_a_rule_on_a_simulated_market_can_be_offered_and_taken() -> None:
    chat = Chat()
    await chat.type(f"{CHINESE} 5%")
    await chat.tap("Yes, watch")
    assert len(await chat.desk.rules(chat.chat_id)) == 1


@pytest.mark.parametrize("typed", ["BTC", "btc", "$BTC", "BTC-USDT-SWAP", CHINESE])
async def test_a_bare_symbol_shows_its_map(typed: str) -> None:
    chat = Chat()
    await chat.type(typed)
    assert chat.last.photo == PNG


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("BTC 0%", "between 0.1% and 20%"),
        ("BTC -1%", "between 0.1% and 20%"),
        ("BTC 900%", "between 0.1% and 20%"),
        ("BTC abc", "not abc"),
        ("BTC grow 3%", "between 5% and 500%"),
        ("BTC grow 30% 3d", "15\xa0min to 24\xa0hr"),
        ("BTC 1% 10Q", "a size looks like 10M or 250k"),
        ("BTC 1% 0.5k", "between $1K and"),
        ("BTC 1% strength 300", "between 1 and 100"),
        ("BTC 1% strength", "A number from 1 to 100 is missing"),
        ("BTC 1% 2%", "a second time"),
    ],
)
async def test_a_wrong_rule_gets_the_range_an_example_and_a_button(line: str, said: str) -> None:
    chat = await watching(line)
    assert said in chat.said
    assert "For example /watch BTC" in chat.said
    assert chat.last.buttons
    assert not await chat.desk.rules(chat.chat_id)


@pytest.mark.parametrize("line", ["BTC 2,5 %", "BTC ２％", "btc 2", "BTC-USDT-SWAP .5%"])
async def test_a_percentage_is_understood_in_many_spellings(line: str) -> None:
    chat = Chat()
    await chat.type(f"/watch {line}")
    assert "Watching BTC" in chat.said


async def test_the_confirmation_tells_what_is_true_already() -> None:
    chat = await watching("BTC 1%")
    assert "True already: short cluster at 97,430–97,910" in chat.said
    chat = await watching("BTC 0.5%")
    assert "Nearest now: short cluster" in chat.said
    chat = await watching("BTC 1% 900M")
    assert "No such cluster now" in chat.said


async def test_a_full_chat_is_shown_its_rules_to_make_room() -> None:
    chat = await watching("BTC 1%", "ETH 1%")
    chat.desk.limit = 2
    await chat.type("/watch SOL 1%")
    assert "You have 2 rules, the most a chat can keep" in chat.said
    await chat.tap("#1 BTC within 1%")
    await chat.type("/watch SOL 1%")
    assert "Watching SOL" in chat.said


async def test_rules_are_grouped_and_the_nearest_to_firing_comes_first() -> None:
    chat = await watching("SOL 1%", "BTC 5% strength 95", "ZRX 1.2%", "BTC 0.5%")
    await chat.type("/rules")
    lines = [line for line in chat.said.split("\n") if line]
    assert [line.split(" ")[0] for line in lines[1:]] == ["BTC", "#2", "#4", "ZRX", "#3", "SOL", "#1"]


async def test_a_long_list_has_pages_that_can_be_turned_both_ways() -> None:
    chat = await watching(*(f"BTC {percent / 10}%" for percent in range(1, 18)))
    await chat.type("/rules")
    assert "page 1 of 3" in chat.said
    await chat.tap("More ›")
    await chat.tap("More ›")
    assert "page 3 of 3" in chat.said
    assert "More ›" not in [button.text for button in chat.keys(max(chat.screen))]
    await chat.tap("‹ Back")
    assert "page 2 of 3" in chat.said


async def test_a_page_that_is_gone_shows_the_last_one_there_is() -> None:
    chat = await watching(*(f"BTC {percent / 10}%" for percent in range(1, 10)))
    await chat.type("/rules")
    await chat.tap_data("rx|1|1", max(chat.screen))
    assert "8/25" in chat.said
    await chat.tap("Undo")
    assert "9/25, nearest to firing first, page 2 of 2" in chat.said


async def test_a_snooze_from_an_alert_answers_the_alert_and_leaves_it_as_it_is() -> None:
    chat = await watching("BTC 1%")
    actions = await chat.tap_data("z|1", 1)
    assert kinds(actions) == ["Toast", "Reply"]
    assert chat.last.reply_to == 1
    assert chat.last.silent
    await chat.tap("Wake up")
    assert "Awake again" in chat.said


async def test_a_rule_switched_off_from_an_alert_can_be_taken_back() -> None:
    chat = await watching("BTC 1%")
    assert kinds(await chat.tap_data("x|1", 1)) == ["Toast", "Reply"]
    assert not await chat.desk.rules(chat.chat_id)
    await chat.tap("Undo")
    assert len(await chat.desk.rules(chat.chat_id)) == 1


@pytest.mark.parametrize("wanted", ["1", "#1", "btc", "BTC-USDT-SWAP"])
async def test_unwatch_finds_the_only_rule_by_number_or_symbol(wanted: str) -> None:
    chat = await watching("BTC 1%")
    await chat.type(f"/unwatch {wanted}")
    assert not await chat.desk.rules(chat.chat_id)
    await chat.tap("Undo")
    assert len(await chat.desk.rules(chat.chat_id)) == 1


async def test_unwatch_of_a_market_with_several_rules_asks_which() -> None:
    chat = await watching("BTC 1%", "BTC 2%", "ETH 1%")
    await chat.type("/unwatch BTC")
    assert len(await chat.desk.rules(chat.chat_id)) == 3
    await chat.tap("All 2")
    assert [view.rule.market.symbol for view in await chat.desk.rules(chat.chat_id)] == ["ETHUSDT"]
    await chat.tap("Undo")
    assert len(await chat.desk.rules(chat.chat_id)) == 3


async def test_unwatch_all_asks_first_and_can_be_taken_back() -> None:
    chat = await watching("BTC 1%", "ETH 1%")
    await chat.type("/unwatch all")
    await chat.tap("Keep")
    assert len(await chat.desk.rules(chat.chat_id)) == 2
    await chat.type("/unwatch ALL")
    await chat.tap("Yes, delete 2")
    assert not await chat.desk.rules(chat.chat_id)
    await chat.tap("Undo")
    assert len(await chat.desk.rules(chat.chat_id)) == 2


async def test_the_rules_of_another_chat_can_not_be_touched() -> None:
    desk = FakeDesk()
    owner, stranger = Chat(desk, chat_id=7), Chat(desk, chat_id=OTHER_CHAT)
    await owner.type("/watch BTC 1%")
    for verb in ("x", "xe", "z", "zw", "u", "rx", "rs", "rw", "ru", "s"):
        await stranger.tap_data(f"{verb}|1|2")
    await stranger.type("/unwatch 1")
    assert "no rule #1" in stranger.said
    (view,) = await desk.rules(7)
    assert (view.rule.threshold_pct, view.rule.snoozed_until_ms) == (1.0, 0)
    assert not await desk.rules(OTHER_CHAT)


async def test_members_of_a_group_may_look_but_not_change() -> None:
    desk = FakeDesk()
    admin = Chat(desk, kind="supergroup")
    await admin.type("/watch BTC 1%")
    member = Chat(desk, kind="supergroup", may_change=False)
    await member.type("/watch ETH 1%")
    assert "Only admins" in member.said
    await member.type("/unwatch all")
    assert "Only admins" in member.said
    for data in (
        "wp|binance:ETHUSDT|1",
        "wt|ETH 1%",
        "x|1",
        "xe|1",
        "ua",
        "um|BTCUSDT",
        "rx|1|0",
        "rs|1|0",
        "z|1",
        "s|1|2",
    ):
        assert kinds(await member.tap_data(data)) == ["Toast"]
        assert "Only admins" in member.toasts[-1]
    assert len(await desk.rules(7)) == 1
    await member.type("/map BTC")
    assert member.last.photo == PNG


async def test_talk_in_a_group_that_is_not_for_the_bot_gets_no_answer() -> None:
    chat = Chat(kind="group")
    assert await chat.type("what about BTC", to_bot=False) == []
    assert await chat.type("/rules", to_bot=False) != []


async def test_a_map_in_a_range_counts_only_that_range_and_marks_it() -> None:
    chat = Chat()
    await chat.type("/map BTC 7D")
    assert chat.last.photo_name == f"BTCUSDT-{7 * 24 * HOUR_MS}-en"
    assert "· 7d ·" in [button.text for button in chat.keys(1)]
    assert kinds(await chat.tap("1d")) == ["Toast", "Edit"]
    assert chat.last.photo_name == f"BTCUSDT-{24 * HOUR_MS}-en"


async def test_a_map_without_a_picture_is_told_in_words() -> None:
    chat = Chat()
    chat.desk.pictures = False
    await chat.type("/map BTC")
    assert chat.last.photo is None
    assert "could not be drawn" in chat.said
    chat.desk.pictures = True
    await chat.tap("Refresh")
    assert chat.last.photo == PNG


async def test_a_picture_is_never_edited_back_into_a_text() -> None:
    chat = Chat()
    await chat.type("/map BTC")
    chat.desk.pictures = False
    assert kinds(await chat.tap("Refresh")) == ["Toast", "Reply"]


@pytest.mark.parametrize("reason", ["loading", "exchange_down", "no_data", "stale", "blocked", "something new"])
async def test_a_market_without_a_map_says_why_and_can_be_tried_again_in_place(reason: str) -> None:
    chat = Chat()
    chat.desk.unavailable["BTCUSDT"] = reason
    await chat.type("/map BTC")
    assert "No map of BTC now" in chat.said
    del chat.desk.unavailable["BTCUSDT"]
    assert kinds(await chat.tap("Try again")) == ["Toast", "Edit"]
    assert chat.last.photo == PNG


async def test_a_watch_that_failed_is_tried_again_as_it_was_typed() -> None:
    chat = Chat()
    chat.desk.unavailable["ZRXUSDT"] = "blocked"
    await chat.type("/watch ZRX short 3%")
    assert "not watched yet" in chat.said
    del chat.desk.unavailable["ZRXUSDT"]
    await chat.tap("Try again")
    (view,) = await chat.desk.rules(chat.chat_id)
    assert (view.rule.threshold_pct, view.rule.side) == (3.0, Side.SHORT)


async def test_a_table_that_failed_is_tried_again_as_a_table() -> None:
    chat = Chat()
    chat.desk.unavailable["BTCUSDT"] = "loading"
    await chat.type("/clusters BTC")
    del chat.desk.unavailable["BTCUSDT"]
    await chat.tap("Try again")
    assert "3 short clusters above" in chat.said


async def test_the_button_of_a_delisted_market_leaves_its_message_and_offers_others() -> None:
    chat = await watching("BTC 1%")
    actions = await chat.tap_data("m|binance:BTSUSDT|7d", 1)
    assert kinds(actions) == ["Toast", "Reply"]
    assert "I don't know BTSUSDT" in chat.said
    await chat.tap("BTC")
    assert chat.last.photo_name == f"BTCUSDT-{7 * 24 * HOUR_MS}-en"


@pytest.mark.parametrize(
    "data", ["", "|", "v", "old|button", "m", "m|", "wp|binance:BTCUSDT", "r|-1", "r|zz", "ub|,,", "s|1|nan"]
)
async def test_an_odd_button_is_answered_kindly(data: str) -> None:
    chat = Chat()
    actions = await chat.tap_data(data)
    assert kinds(actions)[0] == "Toast"
    assert len(actions) == 2 or chat.toasts[-1]


async def test_a_simulated_market_is_named_in_every_answer_about_it() -> None:
    desk = FakeDesk()
    desk.markets = {symbol: replace(view, simulated=True) for symbol, view in desk.markets.items()}
    chat = Chat(desk)
    for line in ("/map BTC", "/clusters BTC", "/watch BTC 1%", "/rules", "/start w_BTC"):
        await chat.type(line)
        assert "simulated market" in chat.said.lower(), line
    await chat.tap("Show a sample alert")
    assert "SIMULATED" in chat.said


async def test_a_volume_model_claims_no_dollars_in_any_answer() -> None:
    chat = Chat()
    for line in ("/map ZRX", "/clusters ZRX", "/watch ZRX 1%"):
        await chat.type(line)
        assert "$" not in chat.said, line
        assert "Volume model" in chat.said


async def test_any_client_language_gets_an_answer() -> None:
    for language in (None, "", "en-GB", "xx", "zh-hans", "pt-br"):
        chat = Chat(language=language)
        await chat.type("/help")
        assert chat.said == bare(Catalogue.load().texts(language)("help.text", strength="60"))


async def test_the_pages_of_help_tell_of_every_command() -> None:
    for language in Catalogue.load().languages:
        chat, pages = Chat(language=language), []
        for topic in ("", *HELP_TOPICS):
            await chat.type(f"/help {topic}")
            pages.append(chat.said)
        named = {word for page in pages for word in re.findall(r"/([a-z]+)", page)}
        assert named >= {*COMMANDS} - {"start", "help"}, language


async def test_a_topic_of_help_opens_in_place_and_closes_again() -> None:
    chat = Chat()
    await chat.type("/help")
    first = chat.said
    await chat.tap("Your levels")
    assert "/stop BTC long" in chat.said
    await chat.tap("· Your levels ·")
    assert chat.said == first
    await chat.type("/help me")
    assert chat.said == first


WORDS = (
    *(
        "/watch",
        "/map",
        "/rules",
        "/unwatch",
        "/clusters",
        "/start",
        "btc",
        CHINESE,
        "1%",
        "grow",
        "4h",
        "all",
        "short",
    ),
    *("$", "10M", "7d", "%", "-1", "#1", "\u202e", "😀", "<b>", "w_", "strength", "x" * 90, "\ud800"),
)
VERBS = (
    "m",
    "mr",
    "c",
    "w",
    "wp",
    "wt",
    "s",
    "r",
    "rx",
    "ub",
    "um",
    "us",
    "t",
    *("p", "pf", "pp", "pe", "pc", "pz", "ph", "pm", "pn", "q", "wk", "wj", "wu", "near", "end", "growth", "t"),
    "binance:BTCUSDT",
    "1",
    "7d",
    "-1",
    "zz",
)
TYPED = st.one_of(
    st.text(max_size=400),
    st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join),
    st.just("y" * 5_000),
    st.none(),
)


@given(typed=TYPED, may_change=st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_any_text_is_answered_within_the_limits(typed: str | None, may_change: bool) -> None:
    chat = Chat(may_change=may_change)
    assert kinds(await chat.type(typed)) == ["Reply"]
    chat.said.encode("utf-8")
    assert chat.last.buttons or "Only admins" in chat.said


@given(data=st.text(max_size=64) | st.lists(st.sampled_from(VERBS), max_size=4).map("|".join))
@example(data="q|pn")
@settings(max_examples=150, deadline=None)
async def test_any_button_data_is_answered_with_one_toast(data: str) -> None:
    chat = Chat()
    await chat.type("/watch BTC 1%")
    actions = await chat.tap_data(data, 1)
    assert isinstance(actions[0], Toast)


async def test_the_conversation_answers_without_a_chat_around_it() -> None:
    conversation = Conversation(FakeDesk(), Catalogue.load())
    (reply,) = await conversation.answer(Inbound(update_id=1, chat_id=7, text="/start"))
    assert isinstance(reply, Reply)
    check_limits(reply.message)
    toast, edit = await conversation.answer(Inbound(update_id=2, chat_id=7, callback_data="h", message_id=5))
    assert toast == Toast("")
    assert isinstance(edit, Edit)
    assert edit.message_id == 5


@pytest.mark.parametrize(
    ("kind", "shown"), [("private", "until 22:00."), ("supergroup", 'format="t">22:00 UTC+2</tg-time>.')]
)
async def test_a_private_chat_reads_its_own_clock_and_a_group_each_members(kind: ChatKind, shown: str) -> None:
    chat = Chat(kind=kind)
    await chat.type("/settings zone UTC+2")
    await chat.type("/mute 8h")
    assert shown in chat.last.text


async def test_keys_too_wide_for_a_row_of_three_stand_one_under_the_other() -> None:
    chat = Chat()
    chat.desk.markets["BTCUSDT"] = replace(chat.desk.markets["BTCUSDT"], daily_move_pct=1.9)
    await chat.tap_data("w|BTCUSDT")
    assert [len(row) for row in chat.last.buttons[:1]] == [3]
    await chat.tap("Normal 0.75%")
    confirmation = chat.screen[min(chat.screen)]
    assert [[button.text for button in row] for row in confirmation.buttons[:3]] == [
        ["Calm 0.5%"],
        ["✓ Normal 0.75%"],
        ["Fast 1.5%"],
    ]
