"""Messenger and intake against a Bot API server that this project did not write."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot.clock import SystemClock
from bot.delivery.messenger import Button, Message
from bot.storage.database import Database
from bot.telegram.admins import Admins
from bot.telegram.connection import open_line
from bot.telegram.intake import Intake
from bot.telegram.menus import menus
from bot.telegram.messenger import TelegramMessenger
from bot.telegram.profile import introduce
from bot.telegram.replies import Replies
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Action, Edit, Inbound, Reply, Toast
from bot.telegram.turns import House, Turns
from tests.fakes.png import png

TOKEN = "123456789:" + "AAEmulatorToken_0123456789-abcdefgh"
EMULATOR = Path(sys.executable).with_name("lo-bot-api-emulator")
ADA = {"id": 42, "is_bot": False, "first_name": "Ada", "language_code": "en"}
CHAT = {"id": 42, "type": "private", "first_name": "Ada"}

pytestmark = pytest.mark.skipif(not EMULATOR.exists(), reason="needs lo-bot-api-emulator beside this Python")


@asynccontextmanager
async def emulator(journal: Path) -> AsyncIterator[str]:
    """The emulator as a process; gives its URL once it answers."""
    with socket.socket() as wire:
        wire.bind(("127.0.0.1", 0))
        port = wire.getsockname()[1]
    arguments = ["--port", str(port), "--enable-control", "--journal", str(journal)]
    process = await asyncio.create_subprocess_exec(EMULATOR, *arguments, stdout=asyncio.subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(20), aiohttp.ClientSession() as session:
            while not await answers(session, url):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        await process.wait()


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.post(f"{url}/botprobe/getMe") as reply:
            return reply.status == 200
    except aiohttp.ClientError:
        return False


async def inject(url: str, update: dict[str, object]) -> None:
    async with aiohttp.ClientSession() as session:
        body = {"token": TOKEN, "update": update}
        async with session.post(f"{url}/__fixture/updates", json=body) as reply:
            assert reply.status == 200, await reply.text()


def calls(journal: Path) -> list[str]:
    """The methods the emulator accepted, in order; a refusal fails."""
    entries = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    requests = [entry for entry in entries if "method" in entry]
    assert [entry for entry in requests if entry["status"] != 200] == []
    return [entry["method"] for entry in requests]


async def converse(inbound: Inbound) -> Sequence[Action]:
    buttons = ((Button("Snooze", data="z|1"), Button("Copy", copy="97400")),)
    if inbound.callback_data:
        return [Toast("done"), Edit(inbound.message_id or 0, Message("<b>edited</b>", buttons))]
    picture = Message("<b>BTC</b> near", buttons, photo=png(64, 40), photo_name="BTC", silent=True, reply_to=1)
    return [Reply(Message("a &lt; b", buttons)), Reply(picture), Reply(picture)]


async def test_texts_pictures_taps_and_edits_pass_without_a_refusal(tmp_path: Path) -> None:
    journal, clock, catalogue = tmp_path / "journal.jsonl", SystemClock(), Catalogue.load()
    async with emulator(journal) as url, await Database.open(f"sqlite:///{tmp_path / 'bot.db'}") as database:
        line = open_line(TOKEN, api_url=url)
        await introduce(line, catalogue, menus(()), describe=False)
        replies = Replies(TelegramMessenger(line), database.chats, clock)
        turns = Turns(converse, replies, House(database, catalogue, Admins(line), clock))
        intake = asyncio.create_task(Intake(line, database.updates, turns, clock, poll_s=1).run())
        await inject(url, {"message": {"message_id": 1, "date": 1, "chat": CHAT, "from": ADA, "text": "/watch BTC 1%"}})
        await until_called(journal, "sendPhoto", 2)
        tapped = {"message_id": 1, "date": 1, "chat": CHAT, "text": "a < b"}
        query = {"id": "7", "from": ADA, "chat_instance": "1", "data": "z|1", "message": tapped}
        await inject(url, {"callback_query": query})
        await until_called(journal, "editMessageText", 1)
        intake.cancel()
        await asyncio.gather(intake, return_exceptions=True)
        await turns.drain(5)
        await line.shutdown()
    sent = [method for method in calls(journal) if method not in ("getUpdates", "getMe")]
    menu = ["getMyCommands", "setMyCommands"] * (3 * len(catalogue.languages))
    answered = ["sendMessage", "sendPhoto", "sendPhoto", "answerCallbackQuery", "editMessageText"]
    assert sent == [*menu, "deleteWebhook", *answered]


async def until_called(journal: Path, method: str, times: int) -> None:
    async with asyncio.timeout(10):
        while calls(journal).count(method) < times:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
