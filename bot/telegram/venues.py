"""A combined market in words and buttons: which exchanges it adds up, which it had to leave out, and how to see one."""

from collections.abc import Sequence

from bot.alerts.types import Market
from bot.delivery.messenger import Keyboard
from bot.liquidation.combining import COMBINED, VenuePart
from bot.liquidation.types import MapLimit
from bot.telegram.callbacks import key, market_arg
from bot.telegram.desk import MarketUnavailableError, MarketView
from bot.telegram.scene import Scene, rows
from bot.telegram.texts import Html, Texts, escape

VENUES_A_ROW = 3


def exchange_name(exchange: str, texts: Texts) -> Html:
    """An exchange as it spells itself."""
    return texts.of("exchange", exchange) if f"exchange.{exchange}" in texts.entries else escape(exchange)


def venue_keys(view: MarketView, verb: str, texts: Texts, *args: str, mark: bool = True) -> Keyboard:
    """All exchanges together and each alone, the shown one marked; no row where one exchange lists the coin."""
    keys = []
    for market in view.choices:
        name = texts.label("venues.all") if market.exchange == COMBINED else str(exchange_name(market.exchange, texts))
        shown = texts.label("button.current", label=name) if mark and market == view.market else name
        keys.append(key(shown, verb, market_arg(market), *args))
    return rows(keys, VENUES_A_ROW)


def market_name(scene: Scene, market: Market, base: str) -> Html:
    """A market in a sentence: "BTC", and "BTC on OKX" or "BTC on all exchanges" where BTC alone means another."""
    try:
        meant = scene.resolve(market.symbol).market
    except MarketUnavailableError:
        meant = market
    if meant == market:
        return escape(base)
    if market.exchange == COMBINED:
        return scene.texts("venues.on_all", base=base)
    return scene.texts("venues.on", base=base, exchange=exchange_name(market.exchange, scene.texts))


def title_words(base: str, parts: Sequence[VenuePart], texts: Texts) -> str:
    """What a combined picture is of: "BTC liquidation map · 3 of 4 exchanges"."""
    joined = sum(part.left_out is None for part in parts)
    if joined < len(parts):
        return texts.label("chart.title_some", base=base, n=joined, all=len(parts))
    return texts.label("chart.title_all", base=base, n=joined)


def source_words(parts: Sequence[VenuePart], texts: Texts, *, why: bool = False) -> Html:
    """The exchanges with their shares, and those that were left out, with `why` the reasons too."""
    joined, left_out = _shares(parts, texts), _left_out(parts, texts, why=why)
    return texts("venues.without", shares=joined, venues=left_out) if left_out else joined


def combined_words(view: MarketView, texts: Texts, *, now_ms: int) -> Html:
    """The line under a combined estimate: shares, the age of the oldest part that weighs, what is left out, what is
    known exactly, and what the parts that weigh had to do without.
    """
    measured = view.map.open_interest == "measured"
    oldest_ms = min((part.time_ms for part in view.parts if part.weighs and part.time_ms), default=view.map.time_ms)
    words = texts(
        "venues.estimate" if measured else "venues.estimate_volume",
        shares=_shares(view.parts, texts),
        age=texts.figures.duration(max(0, now_ms - oldest_ms)),
    )
    left_out = _left_out(view.parts, texts)
    said = [words, *([texts("venues.left_out", venues=left_out)] if left_out else [])]
    known = [known_words(part.venue, part.known_share, texts) for part in view.parts if part.share and part.known_share]
    return texts.sentences([*said, *known, *_limits(view.parts, texts)])


def _limits(parts: Sequence[VenuePart], texts: Texts) -> list[Html]:
    """Each limit once, with the exchanges whose map it is of."""
    found = []
    for limit in MapLimit:
        names = [exchange_name(part.venue, texts) for part in parts if part.weighs and limit in part.limits]
        if names:
            found.append(texts.of("limit_of", limit, exchange=Html(texts("venues.join").join(names))))
    return found


def known_words(exchange: str, share: float, texts: Texts) -> Html:
    """How much of an exchange's open interest is no estimate."""
    return texts("venues.known", exchange=exchange_name(exchange, texts), percent=texts.figures.percent(100 * share))


def _shares(parts: Sequence[VenuePart], texts: Texts) -> Html:
    named = [
        texts(
            "venues.share",
            exchange=exchange_name(part.venue, texts),
            percent=texts.figures.percent(100 * part.share),
        )
        for part in parts
        if part.left_out is None
    ]
    return Html(texts("venues.join").join(named))


def _left_out(parts: Sequence[VenuePart], texts: Texts, *, why: bool = True) -> Html:
    named = []
    for part in parts:
        if part.left_out is not None:
            name, reason = exchange_name(part.venue, texts), texts.of("left_out", part.left_out)
            named.append(texts("venues.left_out_one", exchange=name, reason=reason) if why else name)
    return Html(texts("venues.join").join(named))
