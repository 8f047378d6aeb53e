"""/status: how the exchanges are heard, and what the maps are worth, in plain words."""

from bot.delivery.messenger import Message
from bot.liquidation.skill import BLOCK_MS, LEAST_BLOCKS, LEAST_EVENTS
from bot.telegram.callbacks import key
from bot.telegram.desk import ExchangeView, HistoryView, SkillView, StreamView
from bot.telegram.scene import Answer, Scene, base_name
from bot.telegram.texts import Html, Texts
from bot.telegram.venues import exchange_name

MOST_SKILLS = 20
BLOCK_HOURS = BLOCK_MS // 3_600_000


async def status_answer(scene: Scene, *, fresh: bool = True) -> Answer:
    """The page, with a button that shows it anew in its place."""
    texts = scene.texts
    view = await scene.desk.status(scene.chat)
    notes = [texts("alert.note_simulated")] if view.simulated else []
    told = [skill_words(skill, texts) for skill in view.skills[:MOST_SKILLS]]
    if not told:
        told = [texts("status.unscored", liquidations=round(LEAST_EVENTS), hours=LEAST_BLOCKS * BLOCK_HOURS)]
    parts = [
        texts("status.title"),
        *notes,
        *(line for one in view.exchanges for line in exchange_lines(one, texts, now_ms=scene.now_ms)),
        "",
        texts("status.skills"),
        *told,
        "",
        texts("alert.small", text=texts("status.legend")),
    ]
    buttons = ((key(texts.label("button.refresh"), "st"), key(texts.label("button.rules"), "rn")),)
    toast = "" if fresh else texts.label("toast.refreshed")
    return Answer(Message(Html("\n".join(parts)), buttons), toast=toast, fresh=fresh)


def exchange_lines(view: ExchangeView, texts: Texts, *, now_ms: int) -> list[Html]:
    """Prices and bars in one line, liquidations in the next, the stream in a third where there is one."""
    figures = texts.figures
    prices = texts("status.no_prices")
    if view.age_ms is not None:
        prices = texts("status.prices", age=figures.duration(view.age_ms))
    parts = [prices]
    if view.bar_ms is not None:
        parts.append(texts("status.bar", time=figures.clock(view.bar_ms, now_ms=now_ms)))
    if view.requests is not None:
        used, allowed = view.requests
        parts.append(texts("status.requests", used=used, allowed=allowed, window=figures.duration(view.window_ms)))
    if view.silent_until_ms is not None:
        parts.append(texts("status.silent", time=figures.clock(view.silent_until_ms, now_ms=now_ms)))
    name = exchange_name(view.exchange, texts)
    line = texts("status.exchange", exchange=name, parts=Html(texts("status.join").join(parts)))
    streams = [] if view.stream is None else [stream_line(view.stream, texts)]
    histories = [] if view.history is None else [history_line(view.history, texts)]
    return [line, _feed_line(view, texts, now_ms=now_ms), *streams, *histories]


def history_line(view: HistoryView, texts: Texts) -> Html:
    """How much is kept; what is missing or was wrong only where something is."""
    parts = [texts("status.history_kept", whole=view.whole, wanted=view.wanted)]
    if view.missing:
        parts.append(texts("status.history_missing", n=view.missing))
    if view.dropped:
        parts.append(texts("status.history_dropped", n=view.dropped))
    return texts("status.history", parts=Html(texts("status.join").join(parts)))


def stream_line(view: StreamView, texts: Texts) -> Html:
    """When it last spoke and how late; what went wrong only where something did."""
    parts = [texts("status.stream_age", age=texts.figures.duration(view.age_ms))]
    if view.late_ms is not None:
        parts.append(texts("status.stream_late", seconds=texts.figures.plain(round(view.late_ms / 1000, 1))))
    counts = {
        "status.stream_reconnects": view.reconnects,
        "status.stream_gaps": view.gaps,
        "status.stream_dropped": view.dropped,
        "status.stream_unread": view.unread,
    }
    parts += [texts(name, n=count) for name, count in counts.items() if count]
    return texts("status.stream", parts=Html(texts("status.join").join(parts)))


def _feed_line(view: ExchangeView, texts: Texts, *, now_ms: int) -> Html:
    if view.hears is None:
        return texts("status.no_feed")
    if not view.hears:
        return texts("status.not_heard")
    if view.last_print_ms is None:
        return texts("status.heard_none")
    return texts("status.heard", age=texts.figures.duration(max(0, now_ms - view.last_print_ms)))


def skill_words(view: SkillView, texts: Texts) -> Html:
    """One verdict with its figures: "BTC: proven, +9% (+4% to +14%). 310 liquidations, 48 hours."."""
    hours = view.blocks * BLOCK_HOURS
    name = base_name(view.market)
    if not view.market.symbol:
        name = texts("status.all", exchange=exchange_name(view.market.exchange, texts))
    if view.verdict == "too_few":
        sample = texts(
            "status.needed",
            n=view.liquidations,
            least=round(LEAST_EVENTS),
            hours=hours,
            least_hours=LEAST_BLOCKS * BLOCK_HOURS,
        )
        return texts("status.too_few", name=name, sample=sample)
    skill, low, high = (texts.figures.signed_percent(100.0 * share) for share in (view.skill, view.low, view.high))
    sample = texts("status.sample", n=view.liquidations, hours=hours)
    verdict = "status.proven" if view.verdict == "proven" else "status.not_proven"
    return texts(verdict, name=name, skill=skill, low=low, high=high, sample=sample)
