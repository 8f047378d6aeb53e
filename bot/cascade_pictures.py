"""The request for the picture of a cascade: bins, books and chains with their words."""

import numpy as np

from bot.charts import CascadePicture, CascadeWords, ChainArrow
from bot.liquidation.chain import LIKELY_SHARE, MOST_SHARE, CascadeReport, ClusterChain, Fall
from bot.liquidation.types import Floats, LiquidationMap, Side
from bot.pictures import passed
from bot.telegram.cascade_text import load_words
from bot.telegram.cascade_view import CascadeView
from bot.telegram.texts import Texts
from bot.telegram.venues import exchange_name


def cascade_picture(cascade: CascadeView, *, texts: Texts, now_ms: int) -> CascadePicture:
    """What stands is drawn without a scale: a bar is as long as the orders that would hold it."""
    view, percent = cascade.view, texts.figures.percent
    likely, most = percent(100 * LIKELY_SHARE), percent(100 * MOST_SHARE)
    drawn = passed(view.map, view.price)
    below, above = cascade.below.seen_pct, cascade.above.seen_pct
    known = texts.label(
        "chart.cascade_known",
        below=percent(below),
        above=percent(above),
        time=texts.figures.clock(view.map.time_ms, now_ms=now_ms, named=True),
    )
    return CascadePicture(
        map=drawn,
        orders_usd=_orders(drawn, cascade),
        known_low=drawn.price * (1 - below / 100),
        known_high=drawn.price * (1 + above / 100),
        forced_share=LIKELY_SHARE,
        arrows=_arrows(cascade, texts),
        title=texts.label("chart.cascade_title", base=view.base, exchange=exchange_name(view.market.exchange, texts)),
        subtitle=known if view.proven else texts.label("chart.not_proven", source=known),
        words=CascadeWords(
            stands=texts.label("chart.cascade_stands"),
            forced=texts.label("chart.cascade_forced", share=likely),
            orders=texts.label("chart.cascade_orders"),
            chain=texts.label("chart.cascade_chain", likely=likely, most=most),
        ),
        tick_size=view.tick_size,
        numerals=texts.figures,
        price=view.price,
        banner=texts.label("chart.simulated") if view.simulated else "",
    )


def _orders(drawn: LiquidationMap, cascade: CascadeView) -> Floats:
    """USD of orders in each bin of the map, (n,), of all books."""
    edges = np.append(drawn.low, drawn.high[-1])
    away, running = np.log(edges / drawn.price), np.zeros(len(edges))
    for book in cascade.books:
        for side, there in ((Side.LONG, away < 0.0), (Side.SHORT, away > 0.0)):
            running[there] += book.against(side).usd_within(np.abs(away[there]))
    orders: Floats = np.abs(np.diff(np.where(away < 0.0, -running, running)))
    return orders


def _arrows(cascade: CascadeView, texts: Texts) -> tuple[ChainArrow, ...]:
    """Both sides' chains, the one to tell of first before the others, each side's in turn."""
    sides = [_ordered(report) for report in cascade.sides]
    longest = max(map(len, sides), default=0)
    turns = [chains[number] for number in range(longest) for chains in sides if number < len(chains)]
    foremost = [report.foremost for report in cascade.sides]
    return tuple(_arrow(chain, cascade.view.map, texts, told=chain in foremost) for chain in turns)


def _ordered(report: CascadeReport) -> list[ClusterChain]:
    return sorted(report.chains, key=lambda chain: chain is not report.foremost)


def _arrow(chain: ClusterChain, drawn: LiquidationMap, texts: Texts, *, told: bool) -> ChainArrow:
    cluster = chain.cluster

    def end(fall: Fall) -> float:
        if fall.end is not None:
            return fall.end
        return float(drawn.low[0] if cluster.side is Side.LONG else drawn.high[-1])

    return ChainArrow(
        side=cluster.side,
        low=cluster.low,
        high=cluster.high,
        load=load_words(chain.absorption, texts),
        start=chain.most.start,
        likely=end(chain.likely),
        most=end(chain.most),
        told=told,
    )
