"""/admin: what waits, what ended undelivered and why, the feeds; for those who run the bot, in their private chat."""

from bot.delivery.messenger import Message
from bot.telegram.callbacks import key
from bot.telegram.commands.status import exchange_lines
from bot.telegram.desk import ExchangeView, Operator, OperatorView
from bot.telegram.limits import shorten
from bot.telegram.scene import Answer, Scene, rows
from bot.telegram.texts import Html

REASON_UNITS = 120
REQUEUES_A_ROW = 2


def operator_of(scene: Scene) -> Operator | None:
    """Who may do this, asked anew at every turn; None for everybody else, and in groups, where others read along."""
    return scene.desk.operator(scene.inbound.user_id) if scene.inbound.chat_kind == "private" else None


async def admin_answer(scene: Scene, operator: Operator, *, fresh: bool = True) -> Answer:
    """The page, with a button that shows it anew in its place."""
    toast = "" if fresh else scene.texts.label("toast.refreshed")
    return Answer(_page(scene, await operator.view()), toast=toast, fresh=fresh)


async def requeue(scene: Scene, operator: Operator, message: int) -> Answer:
    """Send a message after all, and show what is left."""
    toast = "toast.requeued" if await operator.requeue(message) else "toast.not_dead"
    return Answer(_page(scene, await operator.view()), toast=scene.texts.label(toast))


def _page(scene: Scene, view: OperatorView) -> Message:
    texts = scene.texts
    parts = [
        texts("admin.title"),
        texts("admin.size", chats=texts("admin.chats", n=view.chats), rules=texts("admin.rules", n=view.rules)),
        *(_feed_line(one, scene) for one in view.exchanges),
        "",
        _waiting_line(view, scene),
        *_dead_lines(view, scene),
    ]
    again = [key(texts.label("button.requeue", number=str(one.id)), "aq", one.id) for one in view.newest_dead]
    refresh = (key(texts.label("button.refresh"), "ad"),)
    return Message(Html("\n".join(parts)), (*rows(again, REQUEUES_A_ROW), refresh))


def _feed_line(view: ExchangeView, scene: Scene) -> Html:
    state, heard = exchange_lines(view, scene.texts, now_ms=scene.now_ms)[:2]
    return scene.texts("admin.feed", state=state, heard=heard)


def _waiting_line(view: OperatorView, scene: Scene) -> Html:
    if not view.waiting:
        return scene.texts("admin.none_waits")
    since = scene.texts.figures.clock(view.waiting_since_ms, now_ms=scene.now_ms)
    return scene.texts("admin.waiting", n=view.waiting, time=since)


def _dead_lines(view: OperatorView, scene: Scene) -> list[Html]:
    texts = scene.texts
    if not view.dead:
        return [texts("admin.none_dead")]
    lines = [
        texts(
            "admin.dead_line",
            number=str(one.id),
            chat=str(one.chat),
            time=texts.figures.clock(one.ended_ms, now_ms=scene.now_ms),
            reason=shorten(one.reason, REASON_UNITS),
        )
        for one in view.newest_dead
    ]
    return [texts("admin.dead", n=view.dead), *lines]
