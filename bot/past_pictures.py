"""Requests for pictures of the past: a heatmap, the lives of clusters, what came of an alert."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from bot.alerts.lives import Life
from bot.alerts.outcomes import Outcome
from bot.charts import HeatPicture, HeatWords, LivesPicture, ReceiptPicture, Ribbon
from bot.hindsight import Past
from bot.liquidation import Cluster, History, LiquidationMap, Side
from bot.pictures import passed
from bot.telegram.commands.history import life_size
from bot.telegram.desk import LivesView, MarketView
from bot.telegram.headlines import Contract
from bot.telegram.limits import bare
from bot.telegram.receipts_text import receipt_line
from bot.telegram.texts import Texts
from bot.telegram.venues import exchange_name

REPLY = "\N{LEFTWARDS ARROW WITH HOOK} "
"""What a receipt's line begins with in the chat, where it answers an alert."""


def heat_picture(past: Past, view: MarketView, *, texts: Texts, now_ms: int, range_ms: int) -> HeatPicture:
    """The request for one heatmap; its tags are the clusters of the view, as they stand now."""
    maps = past.maps
    if maps:
        maps = (*maps[:-1], passed(maps[-1], view.price))
    return HeatPicture(
        maps=maps,
        bars=past.bars,
        clusters=tuple(shown.cluster for shown in view.clusters),
        title=_title("chart.heat_title", view, texts),
        subtitle=_subtitle(view, view.map, texts, now_ms=now_ms, range_ms=_shown_ms(past.bars, range_ms)),
        words=HeatWords(
            longs=texts.label("chart.longs"),
            shorts=texts.label("chart.shorts"),
            liquidated=texts.label("chart.liquidated"),
            empty=texts.label("chart.empty"),
        ),
        tick_size=view.tick_size,
        numerals=texts.figures,
        price=view.price,
        proven=view.proven and not texts.in_shares,
        prints=past.prints,
        utc_offset_ms=offset_ms(texts, now_ms),
        banner=_banner(view.simulated, texts),
    )


def lives_picture(view: LivesView, *, texts: Texts, now_ms: int) -> LivesPicture:
    """The request for the picture of the biggest clusters of a past stretch of time."""
    market = view.market
    return LivesPicture(
        ribbons=tuple(_ribbon(view, life, texts, now_ms) for life in view.biggest),
        bars=view.bars,
        title=_title("chart.lives_title", market, texts),
        subtitle=_subtitle(market, market.map, texts, now_ms=now_ms, range_ms=view.end_ms - view.from_ms),
        longs=texts.label("chart.lives_longs"),
        shorts=texts.label("chart.lives_shorts"),
        empty=texts.label("chart.lives_empty"),
        tick_size=market.tick_size,
        numerals=texts.figures,
        price=market.price,
        utc_offset_ms=offset_ms(texts, now_ms),
        banner=_banner(market.simulated, texts),
    )


def receipt_picture(
    outcome: Outcome, bars: History, contract: Contract, *, texts: Texts, now_ms: int
) -> ReceiptPicture:
    """The request for the picture of what came of an alert; its title is the receipt's first line."""
    return ReceiptPicture(
        side=outcome.side,
        low=outcome.low,
        high=outcome.high,
        alert_ms=outcome.time_ms,
        alert_price=outcome.price,
        end_ms=outcome.ended_ms,
        reach=outcome.reach,
        reach_ms=_reached_ms(outcome, bars),
        bars=bars,
        title=bare(receipt_line(outcome, contract, texts)).removeprefix(REPLY),
        subtitle=texts.label(
            "chart.receipt",
            exchange=exchange_name(outcome.market.exchange, texts),
            time=texts.figures.clock(outcome.time_ms, now_ms=now_ms, named=True),
        ),
        alert=texts.label("chart.receipt_alert"),
        zone=texts.label("chart.receipt_zone"),
        reached=texts.label("chart.receipt_reached"),
        tick_size=contract.tick_size,
        numerals=texts.figures,
        utc_offset_ms=offset_ms(texts, now_ms),
        banner=_banner(contract.simulated, texts),
    )


def _reached_ms(outcome: Outcome, bars: History) -> int:
    """The middle of the bar that went farthest towards the zone, between the alert and its end."""
    since = bars.within(outcome.time_ms - bars.bar_ms + 1, outcome.ended_ms + bars.bar_ms)
    if not len(since):
        return outcome.ended_ms
    row = int(since.low.argmin() if outcome.side is Side.LONG else since.high.argmax())
    return int(since.open_ms[row]) + bars.bar_ms // 2


def offset_ms(texts: Texts, now_ms: int) -> int:
    """How far the reader's clock is ahead of UTC now."""
    offset = datetime.fromtimestamp(now_ms / 1000, tz=texts.figures.zone).utcoffset()
    return 0 if offset is None else round(offset.total_seconds() * 1000)


def _ribbon(view: LivesView, life: Life, texts: Texts, now_ms: int) -> Ribbon:
    time = texts.figures.clock(life.ended_ms or life.born_ms, now_ms=now_ms)
    return Ribbon(
        side=life.side,
        times_ms=np.array(life.times_ms, dtype=np.int64),
        low=_column(life.bodies, "low"),
        high=_column(life.bodies, "high"),
        usd=_column(life.bodies, "usd"),
        size=life_size(view, life, texts),
        fate=bare(texts.of("history_fate", life.end or ("standing" if life.witnessed else "older"), time=time)),
        ended_ms=life.ended_ms or None,
    )


def _column(bodies: Sequence[Cluster], name: str) -> np.ndarray:
    return np.array([getattr(body, name) for body in bodies], dtype=np.float64)


def _shown_ms(bars: History, range_ms: int) -> int:
    """How far back the picture reaches: less than was asked for where the history is younger."""
    return min(range_ms, bars.end_ms - int(bars.open_ms[0])) if len(bars) else range_ms


def _title(name: str, view: MarketView, texts: Texts) -> str:
    return texts.label(name, base=view.base, exchange=exchange_name(view.market.exchange, texts))


def _subtitle(view: MarketView, drawn: LiquidationMap, texts: Texts, *, now_ms: int, range_ms: int) -> str:
    source = "chart.measured" if drawn.open_interest == "measured" else "chart.volume"
    span = texts("chart.range", span=texts.figures.duration(range_ms))
    words = texts.label(source, range=span, time=texts.figures.clock(drawn.time_ms, now_ms=now_ms, named=True))
    return words if view.proven else texts.label("chart.not_proven", source=words)


def _banner(simulated: bool, texts: Texts) -> str:
    return texts.label("chart.simulated") if simulated else ""
