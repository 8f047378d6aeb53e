"""Speaking for a channel from a private chat: what is said for whom, and that nobody speaks who may not."""

from hypothesis import given
from hypothesis import strategies as st

from bot.delivery.messenger import Button, Message
from bot.telegram import routes
from bot.telegram.commands import publish
from bot.telegram.conversation import Conversation
from bot.telegram.limits import CALLBACK_BYTES
from bot.telegram.scene import MARK_BYTES
from bot.telegram.speaking import marked, unmarked
from bot.telegram.strangers import for_strangers
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Inbound, Reply, Toast
from tests.fakes.channels import FakeChannels
from tests.fakes.chat import Chat
from tests.fakes.desk import FakeDesk

ADA, NEWS, OTHER = 11, -1001234567890, -1009999999999
CATALOGUE = Catalogue.load()


def ada(desk: FakeDesk | None = None) -> tuple[Chat, FakeChannels]:
    channels = FakeChannels({NEWS: "Crypto News", OTHER: "Other"}, {(ADA, NEWS)})
    channels.linked = {(ADA, NEWS), (ADA, OTHER)}
    return Chat(desk=desk or FakeDesk(), channels=channels), channels


async def test_a_rule_made_while_speaking_for_a_channel_is_the_channel_s() -> None:
    chat, _ = ada()
    await chat.type("/channel @CryptoNews")
    await chat.type("/watch BTC 1%")
    assert chat.said.startswith("For Crypto News")
    assert [view.rule.chat for view in await chat.desk.rules(NEWS)] == [NEWS]
    assert await chat.desk.rules(chat.chat_id) == []


async def test_a_button_goes_on_speaking_for_its_channel_whatever_is_typed_in_between() -> None:
    chat, _ = ada()
    await chat.type("/channel @CryptoNews")
    await chat.type("/watch BTC 1%")
    await chat.type("/channel")
    await chat.tap("This chat")
    await chat.type("/watch ETH 1%")
    assert [view.rule.market.symbol for view in await chat.desk.rules(chat.chat_id)] == ["ETHUSDT"]
    await chat.tap_key(2, chat.keys(2)[-1])
    assert chat.toasts[-1] == "Deleted"
    assert await chat.desk.rules(NEWS) == []
    assert len(await chat.desk.rules(chat.chat_id)) == 1


async def test_who_may_no_longer_post_changes_nothing_by_word_or_by_button() -> None:
    chat, channels = ada()
    await chat.type("/channel @CryptoNews")
    await chat.type("/watch BTC 1%")
    channels.posters.clear()
    delete = next(button for button in chat.keys(2) if button.text == "Delete")
    await chat.tap_key(2, delete)
    await chat.type("/unwatch all")
    assert len(await chat.desk.rules(NEWS)) == 1
    assert channels.speaking == {}


async def test_a_forged_button_for_somebody_else_s_channel_is_refused() -> None:
    chat, _ = ada()
    for channel in (OTHER, -1005):
        actions = await chat.tap_data(marked(channel, "wp|BTCUSDT|1"))
        assert actions[0] == Toast("")
        assert await chat.desk.rules(channel) == []
    for data in ("@", "@|x|1", "@zzzzzzzzzzzzzzz|x|1", "@-5|x|1", "cs|99", "cs|x", "@|@|cs|1"):
        await chat.tap_data(data)
    assert await chat.desk.rules(NEWS) == []


async def test_a_channel_s_button_reaches_no_rule_of_another_chat() -> None:
    chat, channels = ada()
    await chat.type("/watch BTC 1%")
    channels.posters.add((ADA, OTHER))
    await chat.type("/channel @Other")
    await chat.type("/watch ETH 1%")
    for verb in ("x|1", "xe|2", "rs|1", "zw|2", "s|1|3", "p|1", "pe|1|3%", "e|2|0"):
        await chat.tap_data(marked(NEWS, verb))
    kept = [*await chat.desk.rules(chat.chat_id), *await chat.desk.rules(OTHER)]
    assert [(view.rule.id, view.rule.threshold_pct, view.rule.snoozed_until_ms) for view in kept] == [
        (1, 1, 0),
        (2, 1, 0),
    ]
    assert await chat.desk.rules(NEWS) == []


def test_a_button_of_publishing_is_taken_for_no_other() -> None:
    taken = {*routes.TAPS, *routes.MARKET_TAPS, *routes.OPERATOR_TAPS, "cs", "ch"}
    assert not taken & set(publish.VERBS)


async def test_a_rule_of_one_s_own_is_published_as_the_channel_s_and_stays_or_goes_here() -> None:
    chat, _ = ada()
    await chat.type("/watch BTC 1% 20M")
    await chat.type("/channel @CryptoNews")
    await chat.tap("Copy one of my rules here")
    await chat.tap(chat.keys(max(chat.screen))[0].text)
    [own], [theirs] = await chat.desk.rules(chat.chat_id), await chat.desk.rules(NEWS)
    assert (theirs.rule.chat, theirs.rule.min_usd, theirs.rule.market) == (NEWS, 20e6, own.rule.market)
    assert chat.said.startswith("Crypto News has BTC within 1%")
    await chat.tap_data(f"lp|{-NEWS}|{own.rule.id}", max(chat.screen))
    assert "already" in chat.said
    assert len(await chat.desk.rules(NEWS)) == 1, "twice is once"
    await chat.tap("Only there")
    assert await chat.desk.rules(chat.chat_id) == []
    assert len(await chat.desk.rules(NEWS)) == 1


async def test_what_is_published_wakes_and_a_rule_about_one_s_own_position_is_not_offered() -> None:
    chat, _ = ada()
    await chat.type("/watch BTC exposure long 60000")
    await chat.type("/channel @CryptoNews")
    await chat.tap("Copy one of my rules here")
    assert chat.said.startswith("You have no rule here that Crypto News could have.")
    [own] = await chat.desk.rules(chat.chat_id)
    await chat.tap_data(f"lp|{-NEWS}|{own.rule.id}")
    assert await chat.desk.rules(NEWS) == []
    await chat.type("/channel")
    await chat.tap("This chat")
    await chat.type("/watch ETH 1%")
    second = (await chat.desk.rules(chat.chat_id))[-1].rule.id
    await chat.desk.snooze_rule(chat.chat_id, second, 10**15)
    await chat.tap_data(f"lp|{-NEWS}|{second}")
    [theirs] = await chat.desk.rules(NEWS)
    assert theirs.rule.snoozed_until_ms == 0


async def test_nobody_publishes_where_they_may_not_post_nor_a_rule_of_another_chat() -> None:
    chat, channels = ada()
    await chat.type("/watch BTC 1%")
    for channel in (OTHER, -1005):
        await chat.tap_data(f"lm|{-channel}")
        await chat.tap_data(f"lp|{-channel}|1")
        assert await chat.desk.rules(channel) == []
    for data in ("lp|x|1", f"lp|{-NEWS}", f"lp|{-NEWS}|99", "lm", f"lm|{-NEWS}|"):
        await chat.tap_data(data)
    assert await chat.desk.rules(NEWS) == []
    group = Chat(desk=chat.desk, chat_id=-5, kind="supergroup", may_change=True, channels=channels)
    await group.tap_data(f"lp|{-NEWS}|1")
    assert await chat.desk.rules(NEWS) == []


async def test_a_channel_that_has_all_the_rules_it_may_says_so() -> None:
    chat, _ = ada()
    chat.desk.limit = 1
    await chat.type("/watch BTC 1%")
    await chat.type("/channel @CryptoNews")
    await chat.type("/watch ETH 1%")
    await chat.tap_data(f"lp|{-NEWS}|1", max(chat.screen))
    assert chat.said.startswith("Crypto News has 1 rule, the most a chat can keep.")


async def test_a_channel_s_button_works_in_a_private_chat_alone() -> None:
    chat, _ = ada()
    group = Chat(desk=chat.desk, chat_id=-5, kind="supergroup", may_change=True, channels=chat.channels)
    await group.tap_data(marked(NEWS, "wp|BTCUSDT|1"))
    await group.tap_data(f"cs|{-NEWS}")
    await group.type("/channel @CryptoNews")
    assert "in private" in group.said
    assert await chat.desk.rules(NEWS) == []


async def test_a_subscriber_who_presses_a_button_in_a_channel_is_told_where_it_works() -> None:
    desk = FakeDesk()
    subscriber = Chat(desk=desk, chat_id=NEWS, kind="channel", may_change=False)
    for data in ("m|BTCUSDT", "wp|BTCUSDT|1", "rn", "y", "h"):
        actions = await subscriber.tap_data(data)
        assert actions == [Toast("Open a chat with me for that: buttons work there.")]


async def test_a_person_s_own_commands_stay_their_own() -> None:
    chat, _ = ada()
    await chat.type("/channel @CryptoNews")
    await chat.type("/status")
    assert "For Crypto News" not in chat.said
    await chat.type("/start w_BTCUSDT")
    assert "For Crypto News" not in chat.said


async def test_an_answer_to_an_alert_of_one_s_own_is_not_taken_for_the_channel_s() -> None:
    chat, _ = ada()
    heard: list[Inbound] = []
    told = chat.desk.why_told

    async def why_told(chat_id: int, message: int) -> object:
        heard.append(Inbound(0, chat_id, message_id=message))
        return await told(chat_id, message)

    chat.desk.why_told = why_told  # type: ignore[method-assign,assignment]
    await chat.type("/channel @CryptoNews")
    await chat.type("/why", reply_to=5)
    assert heard == []


@given(channel=st.integers(1, 10**14), data=st.text(max_size=40))
def test_a_mark_takes_no_more_room_than_is_kept_for_it_and_is_read_back(channel: int, data: str) -> None:
    carried = marked(-channel, data)
    assert len(carried.encode("utf-8", "replace")) - len(data.encode("utf-8", "replace")) <= MARK_BYTES < CALLBACK_BYTES
    assert unmarked(carried) == (-channel, data)


@given(data=st.text(max_size=64))
def test_any_forged_mark_is_some_channel_or_none(data: str) -> None:
    channel, _ = unmarked(f"@{data}")
    assert channel <= 0


async def test_a_long_line_is_offered_without_a_button_that_would_be_cut() -> None:
    chat, _ = ada()
    await chat.type("/channel @CryptoNews")
    await chat.type("BTC short 2% 10M strength 80 above 90k every 30min")
    for button in chat.keys(max(chat.screen)):
        assert len((button.data or "").encode()) <= CALLBACK_BYTES
    assert "/watch" in chat.said


def test_in_a_channel_no_button_is_left_that_does_anything_there() -> None:
    keys = (
        (Button("Snooze", data="z|1"), Button("Rule off", data="x|1")),
        (Button("Map", data="m|binance:BTCUSDT"), Button("Copy", copy="97430"), Button("Why?", data="y")),
    )
    shown = for_strangers(Message("BTC", keys), CATALOGUE.texts("en"), bot_name="LiqwatchBot")
    assert shown.buttons == (
        (Button("Map", url="https://t.me/LiqwatchBot?start=m_binance-BTCUSDT"), Button("Copy", copy="97430")),
        (Button("Watch it yourself", url="https://t.me/LiqwatchBot?start=w_binance-BTCUSDT"),),
    )
    nameless = for_strangers(Message("BTC", keys), CATALOGUE.texts("en"), bot_name=None)
    assert nameless.buttons == ((Button("Copy", copy="97430"),),)


async def test_the_links_of_a_channel_open_the_map_and_the_watch_in_private() -> None:
    reader = Chat()
    await reader.type("/start m_binance-BTCUSDT")
    assert reader.last.photo is not None
    await reader.type("/start w_binance-BTCUSDT")
    assert "How near" in reader.said


async def test_a_conversation_without_channels_says_how_to_get_one() -> None:
    actions = await Conversation(FakeDesk(), CATALOGUE).answer(Inbound(1, ADA, user_id=ADA, text="/channel"))
    assert isinstance(actions[0], Reply)
    assert "Add me to your channel" in actions[0].message.text
