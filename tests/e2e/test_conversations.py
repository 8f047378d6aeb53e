"""The main conversations with the real process, through a Bot API server that this project did not write."""

import json
import signal
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.processes import EMULATOR, Running, bot, emulator, eventually
from tests.e2e.wire import Call, Wire
from tests.fakes.binance import FakeBinance
from tests.shared import SHARED, needs_shared

TOKEN = "123456789:" + "AAEndToEndToken_0123456789-abcdefg"
DECEMBER_20_MS = 1_766_188_800_000
ADA = {"id": 42, "is_bot": False, "first_name": "Ada", "language_code": "en"}
PRIVATE = {"id": 42, "type": "private", "first_name": "Ada"}
GROUP = {"id": -1001, "type": "supergroup", "title": "Traders"}
MADE = ("sendMessage", "sendPhoto", "editMessageText", "editMessageCaption", "editMessageMedia")

pytestmark = [
    needs_shared,
    pytest.mark.skipif(not EMULATOR.exists(), reason="needs lo-bot-api-emulator beside this Python"),
    pytest.mark.timeout(180),
    pytest.mark.xdist_group("e2e-start"),
]


class Phone:
    """Ada's phone: what she does goes in at the emulator, what she reads is what went over the wire."""

    def __init__(self, url: str, wire: Wire, running: Running) -> None:
        self._url = url
        self._wire = wire
        self._running = running
        self._numbers = count(1)

    async def say(self, text: str, chat: Mapping[str, Any] = PRIVATE) -> None:
        number = next(self._numbers)
        await self.happen(
            {"message": {"message_id": 9000 + number, "date": 1, "chat": chat, "from": ADA, "text": text}}
        )

    async def tap(self, label: str, chat: Mapping[str, Any] = PRIVATE) -> None:
        """Tap the key that begins so, under the newest message that has one."""
        call, button = next(
            (call, button)
            for call in reversed(self._made())
            for button in call.buttons
            if button["text"].startswith(label) and "callback_data" in button
        )
        message = {"message_id": call.message_id, "date": 1, "chat": chat, "text": "."}
        query = {"id": f"q{next(self._numbers)}", "from": ADA, "chat_instance": "1", "data": button["callback_data"]}
        await self.happen({"callback_query": query | {"message": message}})

    async def reads(self, *words: str) -> Call:
        """Wait for a message, made or edited, that holds these words."""
        await eventually(
            lambda: self._reading(words),
            f"a message with {words}; there are {[call.text[:150] for call in self._made()]}",
            self._running,
            within_s=30,
        )
        return self._reading(words)[-1]

    async def happen(self, update: dict[str, Any]) -> None:
        async with aiohttp.ClientSession() as session:
            body = {"token": TOKEN, "update": update}
            async with session.post(f"{self._url}/__fixture/updates", json=body) as reply:
                assert reply.status == 200, await reply.text()

    def _made(self) -> list[Call]:
        return [call for call in self._wire.calls if call.method in MADE and call.status == 200]

    def _reading(self, words: tuple[str, ...]) -> list[Call]:
        return [call for call in self._made() if all(word in call.text for word in words)]


async def test_a_person_a_group_and_an_operator_are_served(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    async with (
        emulator(journal, folder=tmp_path) as telegram_url,
        Wire(telegram_url) as wire,
        FakeBinance(SHARED / "recordings", ["BTCUSDT"], at_ms=DECEMBER_20_MS) as exchange,
    ):
        settings = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_API_URL": wire.url,
            "BINANCE_API_URL": exchange.url,
            "BINANCE_WEB_URL": exchange.url,
            "ADMIN_IDS": 42,
        }
        async with bot(tmp_path, settings) as running:
            await running.says("watching contracts=1", within_s=60)
            phone = Phone(telegram_url, wire, running)
            await onboarding(phone)
            await lists_and_settings(phone)
            await a_group(phone)
            await operation(phone)
            await inline(phone, wire)
            running.process.send_signal(signal.SIGTERM)
            assert await running.ends(within_s=15) == 0
    assert "Traceback" not in running.err, running.tail()
    refused = [entry for entry in requests_of(journal) if entry["status"] != 200]
    assert {entry["method"] for entry in refused} <= {"getUpdates", "getChatMember", "answerInlineQuery"}, refused


async def onboarding(phone: Phone) -> None:
    await phone.say("/start")
    await phone.reads("Pick a market")
    await phone.tap("BTC")
    await phone.reads("How near should price come")
    await phone.tap("Normal")
    await phone.reads("Watching BTC")


async def lists_and_settings(phone: Phone) -> None:
    await phone.say("/rules")
    await phone.reads("rules 1/25")
    await phone.say("/settings")
    await phone.reads("zone")
    await phone.say("/channel")
    await phone.reads("Add me to your channel")


async def a_group(phone: Phone) -> None:
    """The emulator knows no admins, so nobody may change the group's rules; nor does it know of joining a group."""
    await phone.say("/watch BTC 1%", GROUP)
    await phone.reads("Only admins of this group")
    await phone.say("/map BTC", GROUP)
    shown = await phone.reads("Estimate from", "BTC")
    assert shown.method == "sendPhoto"


async def operation(phone: Phone) -> None:
    await phone.say("/admin")
    await phone.reads("Operation", "2 chats", "1 rule")
    await phone.say("/admin broadcast Hello all")
    await phone.reads("sent to nobody yet")
    await phone.tap("Send to 2 chats")
    await phone.reads("Telling 2 chats")


async def inline(phone: Phone, wire: Wire) -> None:
    await phone.happen({"inline_query": {"id": "i1", "from": ADA, "query": "btc", "offset": ""}})
    await eventually(
        lambda: [call for call in wire.calls if call.method == "answerInlineQuery" and call.status == 200],
        "the query is answered",
        phone._running,
        within_s=30,
    )


def requests_of(journal: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return [entry for entry in entries if "method" in entry]
