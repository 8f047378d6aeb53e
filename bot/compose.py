"""From an outbox row to the message that goes out: the text in the chat's language, the picture of that moment."""

from collections.abc import Callable, Sequence

from bot.alerts.exposure import LEVEL
from bot.alerts.hit_rate import by_kind, hit_rate
from bot.alerts.preferences import NO_PREFERENCES, Sound
from bot.alerts.reasons import Reason
from bot.alerts.types import Event, Kind, Market, Severity
from bot.clock import Clock
from bot.delivery.messenger import Message
from bot.liquidation.combining import COMBINED
from bot.liquidation.values import replace
from bot.markets import Markets
from bot.missed import missed_in
from bot.pictures import PictureDesk, map_picture
from bot.receipt_pictures import ReceiptPictures
from bot.storage.codec import event_from_plain
from bot.storage.database import Database
from bot.storage.errors import UnreadableBlobError
from bot.storage.outbox import Claimed
from bot.storage.outcomes import outcome_from_plain
from bot.telegram.alerts_text import WITHOUT_PRICE, Contract, alert_message
from bot.telegram.desk import Look, StatsView
from bot.telegram.groups import SWEEP_MARKETS, Told, Waited, group_message, strongest_first
from bot.telegram.missed_text import missed_message
from bot.telegram.notices import notice_message
from bot.telegram.receipts_text import receipt_message
from bot.telegram.stats_text import digest_lines
from bot.telegram.strangers import for_strangers
from bot.telegram.texts import Catalogue, Html, Texts

DAY_MS = 86_400_000


class Composer:
    """Composes alerts. A picture that cannot be made never holds up its text."""

    def __init__(
        self,
        *,
        db: Database,
        markets: Markets,
        pictures: PictureDesk,
        catalogue: Catalogue,
        clock: Clock,
        simulated: frozenset[str],
        played: bool = False,
        bot_name: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._db = db
        self._markets = markets
        self._pictures = pictures
        self._receipts = ReceiptPictures(markets=markets, pictures=pictures, clock=clock)
        self._catalogue = catalogue
        self._clock = clock
        self._simulated = simulated
        self._played = played
        self._bot_name = bot_name

    async def compose(self, row: Claimed) -> Message:
        """The message of a row, marked where it is late or a repeat, in the chat's language and topic."""
        chat = await self._db.chats.get(row.chat)
        chosen = chat.preferences if chat else NO_PREFERENCES
        texts = self._catalogue.texts(chat.spoken if chat else None)
        texts = texts.read_by(chosen, shared=chat is not None and chat.kind != "private")
        message = await self._message(row, Look(texts, chosen.theme), chosen.sound)
        if chat is not None and chat.kind == "channel":
            return for_strangers(message, texts, bot_name=self._bot_name())
        return replace(message, topic=chat.topic if chat else None)

    async def _message(self, row: Claimed, look: Look, sound: Sound) -> Message:
        texts = look.texts
        if "notice" in row.payload:
            notice = notice_message(row.payload, texts, chat=row.chat, now_ms=self._clock.now_ms(), repeat=row.repeat)
            return notice if sound.rings(Severity.WARNING) else replace(notice, silent=True)
        if "receipt" in row.payload:
            outcome = outcome_from_plain(row.payload["receipt"])
            contract = self.contract_of(outcome.market, outcome.price)
            photo, photo_name = await self._receipts.of(row.id, outcome, contract, look) or (None, None)
            return receipt_message(
                outcome,
                contract,
                texts=texts,
                reply_to=row.payload["reply_to"],
                repeat=row.repeat,
                photo=photo,
                photo_name=photo_name,
            )
        if "missed" in row.payload:
            entries, now_ms = missed_in(row.payload), self._clock.now_ms()
            missed = missed_message(entries, self.contract, texts=texts, now_ms=now_ms, repeat=row.repeat)
            return missed if any(sound.rings(_loud(event)) for _, _, event in entries) else replace(missed, silent=True)
        group = [Told(event, self.contract(event)) for event in map(event_from_plain, (row.payload, *row.others))]
        if row.held:
            waited = Waited(row.created_ms, await self._cause(row))
            return group_message(group, texts, sent_ms=self._clock.now_ms(), repeat=row.repeat, waited=waited)
        loudest = strongest_first(group)[0].event.severity
        return replace(await self._alerts(row, group, look), silent=row.repeat or not sound.rings(loudest))

    async def _alerts(self, row: Claimed, group: Sequence[Told], look: Look) -> Message:
        """One alert, or those of the same few seconds."""
        texts = look.texts
        below = await self._held_lines(row, texts)
        first = strongest_first(group)[0]
        if first.event.kind is Kind.DIGEST:
            below = [*await self._digest_lines(row.chat, first.event, texts), *below]
        sent_ms = group[0].event.time_ms + self._waited_ms(row, group[0].contract)
        if len({told.event.market for told in group}) >= SWEEP_MARKETS:
            return group_message(group, texts, sent_ms=sent_ms, repeat=row.repeat, notes=below)
        draws = first.event.kind not in WITHOUT_PRICE
        name, photo = await self._picture(first.event, first.contract, look) if draws else ("", None)
        photo_name = name if photo else None
        if len(group) > 1:
            return group_message(
                group,
                texts,
                sent_ms=sent_ms,
                repeat=row.repeat,
                notes=below,
                photo=photo,
                photo_name=photo_name,
            )
        return alert_message(
            first.event,
            first.contract,
            texts=texts,
            sent_ms=sent_ms,
            repeat=row.repeat,
            below=below,
            photo=photo,
            photo_name=photo_name,
        )

    async def _digest_lines(self, chat: int, event: Event, texts: Texts) -> Sequence[Html]:
        """What came of the chat's alerts over the time of a digest."""
        outcomes = await self._db.outcomes.of_chat(chat, since_ms=event.time_ms - event.window_ms)
        days = max(1, round(event.window_ms / DAY_MS))
        return digest_lines(StatsView(days, hit_rate(outcomes), tuple(by_kind(outcomes).items())), texts)

    async def _held_lines(self, row: Claimed, texts: Texts) -> Sequence[Html]:
        """What a message says of those that wait: how many since when, and whether it uses the hour's budget up."""
        lines, now_ms = [], self._clock.now_ms()
        held = await self._db.told.held(row.chat)
        if held is not None:
            time = texts.figures.clock(held.since_ms, now_ms=now_ms)
            lines.append(texts("held.now", n=held.events, time=time))
        free_ms = int(row.payload.get("budget_free_ms", 0))
        if free_ms > now_ms:
            time = texts.figures.clock(free_ms, now_ms=now_ms)
            lines.append(texts("held.budget", n=int(row.payload["budget"]), time=time))
        return lines

    async def _cause(self, row: Claimed) -> Reason:
        """Why the first of a message's events had to wait."""
        event = event_from_plain(row.payload)
        entries = await self._db.decisions.of_rule(event.rule_id, since_ms=row.created_ms)
        return next((entry.reason for entry in entries if entry.key == row.dedupe_key), Reason.HELD_QUIET)

    def _waited_ms(self, row: Claimed, contract: Contract) -> int:
        """How long the message has waited, by this machine's clock alone: the exchange's may differ from it.

        A played market runs faster than that, and what it takes to send would count as hours.
        """
        return 0 if self._played or contract.simulated else max(0, self._clock.now_ms() - row.created_ms)

    def contract(self, event: Event) -> Contract:
        """What a text needs to know of the event's market."""
        return self.contract_of(event.market, event.price)

    def contract_of(self, market: Market, price: float = 1.0) -> Contract:
        """What a text needs to know of a market whose price was this."""
        exchange = None if market.exchange == COMBINED else market.exchange
        instrument = self._markets.book.get(market.symbol, exchange)
        simulated = market.exchange in self._simulated
        if instrument is None:
            # Delisted since, or the exchange has not answered yet: the name without its quote, and a tick that fits.
            return Contract(market.symbol.removesuffix("USDT"), 10.0 ** _magnitude(price), simulated)
        return Contract(instrument.base, instrument.tick_size, simulated)

    async def _picture(self, event: Event, contract: Contract, look: Look) -> tuple[str, bytes | None]:
        live = self._markets.get(event.market)
        level = event.figure(LEVEL)
        what = f"{event.track_id}:{event.price:.8g}:{level or ''}"  # a level is one reader's own
        name = f"alert:{':'.join(event.market)}:{event.map_ms}:{what}:{look.name}"
        parts = () if live is None else live.reading.parts
        if live is not None:
            drawn, clusters = live.reading.map, live.surroundings.marked(live.reading.clusters)
        else:
            try:
                stored = await self._db.maps.load(event.market)
            except UnreadableBlobError:
                stored = None
            if stored is None:
                return name, None
            drawn, clusters = stored, () if event.cluster is None else (event.cluster,)
        picture = map_picture(
            drawn,
            clusters,
            base=contract.base,
            exchange=event.market.exchange,
            tick_size=contract.tick_size,
            texts=look.texts,
            price=event.price,
            now_ms=self._clock.now_ms(),
            simulated=contract.simulated,
            proven=event.proven,
            highlight=event.cluster,
            level=level,
            parts=parts,
            range_ms=None if live is None or live.whole else live.history.end_ms - int(live.history.open_ms[0]),
            known_share=0.0 if live is None else live.reading.known_share,
        )
        return name, await self._pictures.draw(picture, name, theme=look.theme)


def _loud(event: Event) -> Severity:
    """How loud a missed alert is: that some were missed is worth a warning."""
    return Severity.WARNING if event.severity is Severity.INFO else event.severity


def _magnitude(price: float) -> int:
    """The exponent of the fifth significant figure."""
    return int(f"{price:e}".partition("e")[2]) - 4
