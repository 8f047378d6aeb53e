"""A crawler taps what it can reach, on the real desk with a played market: nothing raises, nothing is a dead end.

Each walk is drawn from its seed, which a failure names with the last lines of the chat.
"""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import pytest

from bot.alerts.types import Event, Market
from bot.app import App, Limits, World
from bot.clock import StepClock
from bot.delivery.messenger import Button
from bot.market.simulator import SimulatedMarket
from bot.market.types import BAR_MS
from bot.storage.database import Database
from bot.telegram.alerts_text import alert_message
from bot.telegram.callbacks import unpack
from bot.telegram.desk import LivesView
from bot.telegram.turn import Toast
from tests.fakes.chat import CATALOGUE, Chat
from tests.fakes.desk import PNG, FakeDesk, believable_lives
from tests.unit.app.scenes import START_MS, CountedExchange, Inbox
from tests.unit.app.several import Trio

LANGUAGES = sorted(CATALOGUE.languages)
WALKS = max(6, len(LANGUAGES))
STEPS = 2_000 // WALKS
"""Two thousand steps in all, in each language there is."""

LAST_LINES = 60
SEEN_MESSAGES = 5
STEP_MS = 30_000

OPENINGS = (
    *(
        "/start",
        "/rules",
        "/help",
        "/watch",
        "/unwatch",
        "/unwatch all",
        "/map",
        "/clusters",
        "/why",
        "/stats",
        "/status",
    ),
    *("/quiet", "/settings", "/edit", "SIM", "/start w_okx_SIMUSDT", "/start m_SIMUSDT", "/start nonsense", "hello"),
)
LINES = (
    *(
        "/watch SIM 1%",
        "/watch SIM 5%",
        "/watch bybit:SIM short 2% strength 5",
        "/watch all SIM 3% 10M",
        "/watch SIM 2atr",
    ),
    *(
        "/watch SIM 60% in 4h",
        "/watch SIM grow 10% 4h",
        "/watch SIM new",
        "/watch SIM swept once",
        "/watch SIM breakout",
    ),
    *("/watch SIM hunt", "/watch SIM cascade", "/watch SIM flip", "/watch SIM concentration", "/watch digest weekly"),
    *(
        "/watch SIM exposure long 12",
        '/watch SIM 0.3% every 30min for 3d "a label"',
        "/watch SUM 1%",
        "/watch SIM 900%",
    ),
    *("#1 2,5 %", "#2 short no end", "/edit 3 any size once", "/edit 1 nonsense", "/edit SIM 4%", "/edit 99 1%"),
)
LEAST_VERBS = 20
"""So many kinds of button are reached in a walk."""


class WithoutPictures:
    """A desk whose pictures, and what a history is made of, take no time."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def picture(self, _view: Any, **_: Any) -> tuple[bytes, str]:
        return PNG, "map"

    async def heatmap(self, _view: Any, **_: Any) -> tuple[bytes, str]:
        return PNG, "heatmap"

    async def lives(self, market: Market, *, range_ms: int) -> LivesView:
        return believable_lives(await self._desk.view(market), range_ms)

    async def lives_picture(self, _view: Any, **_: Any) -> tuple[bytes, str]:
        return PNG, "lives"


class Crawler:
    """One person with one chat, who taps at random and types now and then, while the market goes on."""

    def __init__(
        self, app: App, exchanges: Sequence[CountedExchange], clock: StepClock, *, language: str, seed: int
    ) -> None:
        self.app = app
        self.exchanges = exchanges
        self.clock = clock
        self.dice = random.Random(seed)
        self.chat = Chat(cast("FakeDesk", WithoutPictures(app.desk)), language=language)
        self.tapped: Counter[str] = Counter()
        self.dead = {texts.label("toast.old_button") for texts in CATALOGUE.languages.values()}
        self._events: list[Event] = []
        app.listen(self._events.extend)

    async def step(self) -> None:
        keys = [
            (message_id, button)
            for message_id in sorted(self.chat.screen)[-SEEN_MESSAGES:]
            for button in self.chat.keys(message_id)
            if button.data is not None
        ]
        chance = self.dice.random()
        if chance < 0.08 or not keys:
            await self._type(self.dice.choice(OPENINGS))
        elif chance < 0.14:
            await self._type(self.dice.choice(LINES))
        else:
            await self._tap(*self._choice(keys))
        await self._market_goes_on()

    def _choice(self, keys: list[tuple[int, Button]]) -> tuple[int, Button]:
        """A key at random, or one whose verb was tapped least."""
        if self.dice.random() < 0.5:
            return self.dice.choice(keys)
        self.dice.shuffle(keys)
        return min(keys, key=lambda each: self.tapped[unpack(each[1].data or "").verb])

    async def _type(self, text: str) -> None:
        actions = await self.chat.type(text)
        assert actions, "a line to the bot is answered"
        self._goes_on(actions)

    async def _tap(self, message_id: int, button: Button) -> None:
        actions = await self.chat.tap_key(message_id, button)
        self.tapped[unpack(button.data or "").verb] += 1
        said = next(action.text for action in actions if isinstance(action, Toast))
        assert said not in self.dead, f"{button.text} is dead"
        assert len(actions) > 1 or said, f"{button.text} did nothing"
        self._goes_on(actions)

    def _goes_on(self, actions: list[Any]) -> None:
        """Every message that is an answer offers a next step."""
        for action in actions:
            if not isinstance(action, Toast):
                keys = [button for row in action.message.buttons for button in row]
                assert any(button.data or button.url for button in keys), f"a dead end: {action.message.text}"

    async def _market_goes_on(self) -> None:
        if self.dice.random() < 0.2:
            self.clock.step_to(self.clock.now_ms() + STEP_MS)
            await self.app.read_prices()
            if self.clock.now_ms() % BAR_MS < STEP_MS:
                await self.app.fetch_bars()
                await self.app.recompute()
        while self._events:
            event = self._events.pop()
            texts = CATALOGUE.texts(self.chat.language)
            contract = self.app.composer.contract(event)
            self.chat.show(alert_message(event, contract, texts=texts, sent_ms=self.clock.now_ms()))
        if self.dice.random() < 0.01:
            exchange = cast("Any", self.dice.choice(list(self.app.status._exchanges.values())))
            exchange.comes_back() if exchange.failure else exchange.goes_down()


@pytest.mark.parametrize("walk", range(WALKS))
async def test_whatever_is_tapped_is_answered_and_leads_on(market: SimulatedMarket, walk: int) -> None:
    language, seed = LANGUAGES[walk % len(LANGUAGES)], walk
    clock = StepClock(START_MS)
    async with await Database.open("sqlite://", inline=True) as db:
        exchanges = Trio().exchanges(market, clock)
        app = await App.build(
            World(exchanges, db, Inbox(), clock), Limits(rules_per_chat=9, history_days=1, tick_s=30.0)
        )
        await app.refresh_instruments()
        crawler = Crawler(app, tuple(exchanges.values()), clock, language=language, seed=seed)
        for step in range(STEPS):
            try:
                await crawler.step()
            except Exception as error:
                error.add_note(f"seed {seed}, {language}, step {step}:\n" + "\n".join(crawler.chat.lines[-LAST_LINES:]))
                raise
    assert len(crawler.tapped) >= LEAST_VERBS, sorted(crawler.tapped)
