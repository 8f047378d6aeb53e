"""Inline mode over HTTP: a map to share from any chat, within Telegram's limits."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.delivery.messenger import Message
from bot.storage.database import Database
from bot.telegram.connection import open_line
from bot.telegram.desk import Look, MarketView
from bot.telegram.inline import InlineAnswers, Shop
from bot.telegram.limits import bare
from bot.telegram.messenger import TelegramMessenger
from tests.fakes.bot_api import FakeBotApi, Fault
from tests.fakes.desk import FakeDesk
from tests.fakes.png import png
from tests.integration.listening import ADA, BOB, CATALOGUE, Echo, listening

CACHE = -100555
LINK = "https://t.me/liqwatch_test_bot?start="


class PaintedDesk(FakeDesk):
    """Its pictures are ones that a server takes."""

    async def picture(
        self,
        view: MarketView,
        *,
        look: Look,
        range_ms: int | None = None,
        by_leverage: bool = False,
        level: float | None = None,
    ) -> tuple[bytes, str] | None:
        drawn = await super().picture(view, look=look, range_ms=range_ms, by_leverage=by_leverage, level=level)
        return None if drawn is None else (png(64, 40), drawn[1])


class Rig:
    """A bot that hears inline queries, and what it answers from."""

    def __init__(self, api: FakeBotApi, desk: FakeDesk, messenger: TelegramMessenger, echo: Echo) -> None:
        self.api = api
        self.desk = desk
        self.messenger = messenger
        self.echo = echo

    async def ask(self, text: str, *, user: int = ADA, language: str = "en") -> dict[str, Any]:
        query = await self.api.ask_inline(user, text, language=language)
        await self.api.until(lambda: self.api.state.inline[query] is not None)
        return self.api.state.inline[query] or {}


@pytest.fixture
async def api() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        server.chat(CACHE, "channel")
        server.chat(ADA)
        yield server


@asynccontextmanager
async def asking(
    api: FakeBotApi, tmp_path: Path, *, cache_chat: int | None = None, per_minute: int = 100, private: bool = False
) -> AsyncIterator[Rig]:
    desk, echo, line = PaintedDesk(), Echo(), open_line(api.token, api_url=api.url)
    messenger = TelegramMessenger(line)
    shop = Shop(desk, CATALOGUE, messenger, messenger, SystemClock(), lambda user: not private, cache_chat)
    inline = InlineAnswers(line, shop, per_minute=per_minute)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(line.shutdown)
        closing.push_async_callback(inline.close)
        await line.get_me()
        database = await closing.enter_async_context(await Database.open(f"sqlite:///{tmp_path / 'bot.db'}"))
        bot = await closing.enter_async_context(listening(api, database, echo.answer, on_query=inline.submit))
        yield Rig(api, desk, messenger, echo)
        await bot.all_handled()
        assert await database.updates.waiting() == []
    assert echo.heard == [], "a query is no turn"
    assert [entry for entry in api.journal if entry.method == "answerInlineQuery" and entry.status != 200] == []


async def test_a_map_that_was_sent_somewhere_is_offered_as_a_picture(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path) as rig:
        in_words = await rig.ask("btc")
        assert [result["type"] for result in in_words["results"]] == ["article", "article"]
        await rig.messenger.send(ADA, Message("BTC", photo=png(64, 40), photo_name="BTCUSDT-all-en"))
        answer = await rig.ask("btc")
    picture, table = answer["results"]
    assert picture["type"] == "photo"
    assert picture["photo_file_id"] in api.state.pictures
    assert bare(picture["caption"]).startswith("BTC 96,620.5: shorts 0.84% above")
    assert table["title"] == "BTC: clusters in a table"
    [row] = picture["reply_markup"]["inline_keyboard"]
    assert [(key["text"], key["url"]) for key in row] == [
        ("Map", f"{LINK}m_binance-BTCUSDT"),
        ("Watch BTC", f"{LINK}w_binance-BTCUSDT"),
    ]
    assert answer["cache_s"] == 30
    assert answer["button"]["start_parameter"] == "inline"


async def test_with_a_cache_chat_the_first_asked_is_a_picture_uploaded_once(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path, cache_chat=CACHE) as rig:
        for _ in range(2):
            answer = await rig.ask("zrx")
            assert answer["results"][0]["type"] == "photo"
        await rig.ask("")
    assert [entry.chat_id for entry in api.deliveries] == [CACHE], "nor is anything uploaded for what was not asked for"
    assert api.deliveries[0].silent


async def test_a_cache_chat_that_refuses_costs_the_picture_and_not_the_answer(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path, cache_chat=-1009) as rig:
        answer = await rig.ask("zrx")
    assert [result["type"] for result in answer["results"]] == ["article", "article"]


async def test_an_empty_query_offers_the_most_traded_and_a_typo_the_nearest(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path) as rig:
        popular = await rig.ask("")
        near = await rig.ask("BTV")
        nothing = await rig.ask("qqqq")
    assert [result["title"].partition(":")[0] for result in popular["results"]] == [
        "BTC",
        "ETH",
        "SOL",
        "ZRX",
        "1000PEPE",
    ]
    assert [result["title"] for result in near["results"]] == ["BTC: liquidation map", "BTC: clusters in a table"]
    assert (nothing["results"], nothing["cache_s"]) == ([], 5)
    assert nothing["button"]["text"] == "No such market. Open Liqwatch"


async def test_a_range_is_understood(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path) as rig:
        answer = await rig.ask("btc 7d")
    assert "Only positions opened in the last" in answer["results"][0]["input_message_content"]["message_text"]


async def test_where_there_is_no_map_it_is_said(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path) as rig:
        rig.desk.unavailable["BTCUSDT"] = "exchange_down"
        alone = await rig.ask("btc")
        others = await rig.ask("")
    assert alone["results"] == []
    assert alone["button"]["text"] == "No map of that now. Open Liqwatch"
    assert "BTC: liquidation map" not in [result["title"] for result in others["results"]]
    assert len(others["results"]) == 4


async def test_who_types_too_much_is_told_once_and_others_are_served(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path, per_minute=2) as rig:
        for _ in range(2):
            assert (await rig.ask("btc"))["results"]
        warned = await rig.ask("btc")
        assert (warned["results"], warned["button"]["text"]) == ([], "A lot at once: again in a minute")
        await api.ask_inline(ADA, "btc")
        assert (await rig.ask("btc", user=BOB))["results"]
    assert len(api.asked("answerInlineQuery")) == 4


async def test_a_private_bot_offers_nothing_to_strangers(api: FakeBotApi, tmp_path: Path) -> None:
    async with asking(api, tmp_path, private=True) as rig:
        answer = await rig.ask("btc")
    assert (answer["results"], answer["button"]["text"]) == ([], "This bot is private")


@pytest.mark.parametrize("text", ["<b>&", "x" * 500, "我踏马来了", "btc " * 60, "🙂", "/watch BTC", "\u200b"])
async def test_whatever_is_typed_is_answered_within_the_limits(api: FakeBotApi, tmp_path: Path, text: str) -> None:
    async with asking(api, tmp_path) as rig:
        assert "results" in await rig.ask(text)


async def test_a_query_too_old_is_no_error_and_a_broken_one_hides_no_other(
    api: FakeBotApi, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with asking(api, tmp_path) as rig:
        text = "Bad Request: query is too old and response timeout expired or query ID is invalid"
        api.faults.add(Fault("refuse", "answerInlineQuery", status=400, description=text))
        await api.ask_inline(BOB, "btc")
        await api.until(lambda: api.requests["answerInlineQuery"] == 1)
        await api.push({"inline_query": {"id": "1", "query": "btc"}})
        assert (await rig.ask("eth"))["results"]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "an inline query cannot be read"
    ]
