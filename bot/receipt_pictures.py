"""Pictures for receipts: of those that price came to, and at most one in a while for each chat."""

from collections import OrderedDict

from bot.alerts.outcomes import Outcome
from bot.clock import Clock
from bot.markets import Markets
from bot.past_pictures import receipt_picture
from bot.pictures import PictureDesk
from bot.telegram.desk import Look
from bot.telegram.headlines import Contract

MINUTE_MS = 60_000
APART_MS = 10 * MINUTE_MS
"""A chat gets no second picture so soon: when a move ends many waits at once, one picture shows it."""

LEAST_BEFORE_MS = 60 * MINUTE_MS
"""How much of the time before an alert is shown, or as much as passed since."""

LEAST_BARS = 6
KEPT_CHATS = 4096


class ReceiptPictures:
    """Draws from the history of markets that are open; a receipt whose market is not goes without."""

    def __init__(self, *, markets: Markets, pictures: PictureDesk, clock: Clock) -> None:
        self._markets = markets
        self._pictures = pictures
        self._clock = clock
        self._told: OrderedDict[int, tuple[int, int]] = OrderedDict()

    async def of(self, row: int, outcome: Outcome, contract: Contract, look: Look) -> tuple[bytes, str] | None:
        """The picture of one receipt with its name; the same `row` asked for again gets it again."""
        live = self._markets.get(outcome.market)
        if not outcome.touched_ms or live is None or not self._has_turn(row, outcome.chat):
            return None
        before_ms = max(LEAST_BEFORE_MS, outcome.ended_ms - outcome.time_ms)
        bars = live.history.within(outcome.time_ms - before_ms, None)
        if len(bars) < LEAST_BARS or bars.end_ms < outcome.touched_ms:
            return None
        zone = f"{outcome.low:.8g}-{outcome.high:.8g}"
        moments = f"{outcome.time_ms // MINUTE_MS}:{outcome.ended_ms // MINUTE_MS}"
        name = f"receipt:{':'.join(outcome.market)}:{zone}:{moments}:{bars.end_ms}:{look.name}"
        picture = receipt_picture(outcome, bars, contract, texts=look.texts, now_ms=self._clock.now_ms())
        png = await self._pictures.draw(picture, name, theme=look.theme)
        return None if png is None else (png, name)

    def _has_turn(self, row: int, chat: int) -> bool:
        now_ms = self._clock.now_ms()
        last_row, last_ms = self._told.get(chat, (0, now_ms - APART_MS))
        if row != last_row and now_ms - last_ms < APART_MS:
            return False
        self._told[chat] = row, now_ms
        self._told.move_to_end(chat)
        while len(self._told) > KEPT_CHATS:
            self._told.popitem(last=False)
        return True
