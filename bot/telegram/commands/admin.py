"""/admin: what waits, what ended undelivered and why, the feeds, who may come in, a word to every chat.

For those who run the bot, in their private chat.
"""

from bot.delivery.messenger import Message
from bot.telegram.callbacks import key
from bot.telegram.commands.status import exchange_lines
from bot.telegram.desk import BroadcastView, ExchangeView, Operator, OperatorView
from bot.telegram.findings import finding_words
from bot.telegram.limits import shorten, visible_length
from bot.telegram.notices import broadcast_message
from bot.telegram.scene import Answer, Scene, echo, rows
from bot.telegram.texts import Html

REASON_UNITS = 120
REQUEUES_A_ROW = 2
BROADCAST_UNITS = 1500
LONGEST_LINE = 2000
"""Of what an operator types: a word to all chats is longer than a command."""


def operator_of(scene: Scene) -> Operator | None:
    """Who may do this, asked anew at every turn; None for everybody else, and in groups, where others read along."""
    return scene.desk.operator(scene.inbound.user_id) if scene.inbound.chat_kind == "private" else None


async def typed_admin(scene: Scene, operator: Operator, typed: str) -> Answer:
    """/admin alone, or with `allow 123`, `deny 123`, `broadcast` and a text."""
    word, *rest = typed.split(maxsplit=1)[:2] or [""]
    given = "".join(rest).strip()
    match word.lower():
        case "":
            return await admin_answer(scene, operator)
        case "allow" | "deny":
            return await _decide(scene, operator, given, allowed=word.lower() == "allow")
        case "broadcast":
            return await _draft(scene, operator, given)
        case _:
            return Answer(Message(scene.texts("admin.usage", typed=echo(typed))))


async def admin_answer(scene: Scene, operator: Operator, *, fresh: bool = True) -> Answer:
    """The page, with a button that shows it anew in its place."""
    toast = "" if fresh else scene.texts.label("toast.refreshed")
    return Answer(_page(scene, await operator.view()), toast=toast, fresh=fresh)


async def requeue(scene: Scene, operator: Operator, message: int) -> Answer:
    """Send a message after all, and show what is left."""
    toast = "toast.requeued" if await operator.requeue(message) else "toast.not_dead"
    return Answer(_page(scene, await operator.view()), toast=scene.texts.label(toast))


async def confirm(scene: Scene, operator: Operator, broadcast: int) -> Answer:
    """Let a draft go out, and show how far it is."""
    begun = await operator.confirm(broadcast)
    toast = "" if begun else scene.texts.label("toast.no_draft")
    return Answer(_page(scene, await operator.view()), toast=toast)


async def cancel(scene: Scene, operator: Operator, broadcast: int) -> Answer:
    """Tell nobody else."""
    stopped = await operator.cancel(broadcast)
    if stopped is None:
        return Answer(toast=scene.texts.label("toast.not_sending"))
    if not stopped.told and not stopped.waiting:
        return Answer(Message(scene.texts("admin.dropped")))
    return Answer(Message(scene.texts("admin.cancelled", n=stopped.told)))


async def _decide(scene: Scene, operator: Operator, typed: str, *, allowed: bool) -> Answer:
    digits = typed.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and 0 < len(digits) < 19):
        return Answer(Message(scene.texts("admin.which_id", typed=echo(typed))))
    if not await operator.decide(int(typed), allowed=allowed):
        return Answer(Message(scene.texts("admin.is_operator", id=typed)))
    return Answer(Message(scene.texts("admin.allowed" if allowed else "admin.denied", id=typed)))


async def _draft(scene: Scene, operator: Operator, text: str) -> Answer:
    """The message as every chat will read it, under what it is; sent to nobody before it is confirmed."""
    texts = scene.texts
    if not text:
        return Answer(Message(texts("admin.no_text")))
    if visible_length(text) > BROADCAST_UNITS:
        return Answer(Message(texts("admin.long_text", n=BROADCAST_UNITS)))
    draft = await operator.draft(text)
    preview = Html("\n\n".join([texts("admin.preview", n=draft.chats), broadcast_message(text, texts).text]))
    send = key(texts.label("button.broadcast", n=draft.chats), "ab", draft.id)
    return Answer(Message(preview, ((send, key(texts.label("button.cancel"), "ac", draft.id)),)))


def _page(scene: Scene, view: OperatorView) -> Message:
    texts = scene.texts
    active = texts("admin.active", n=view.active)
    size = texts("admin.size", chats=texts("admin.chats", n=view.chats), rules=texts("admin.rules", n=view.rules))
    parts = [
        texts("admin.title"),
        *_finding_lines(view, scene),
        "",
        size,
        active,
        _access_line(view, scene),
        *(_feed_line(one, scene) for one in view.exchanges),
        "",
        _waiting_line(view, scene),
        *_dead_lines(view, scene),
    ]
    requeues = [key(texts.label("button.requeue", number=str(one.id)), "aq", one.id) for one in view.newest_dead]
    buttons = rows(requeues, REQUEUES_A_ROW)
    sent = view.broadcast
    if sent is not None and sent.stage in ("sending", "queued"):
        parts += ["", _broadcast_line(sent, scene)]
        if sent.stage == "sending" or sent.waiting:
            buttons += ((key(texts.label("button.stop_broadcast"), "ac", sent.id),),)
    return Message(Html("\n".join(parts)), (*buttons, (key(texts.label("button.refresh"), "ad"),)))


def _finding_lines(view: OperatorView, scene: Scene) -> list[Html]:
    """What `liqwatch doctor` and /healthz would say."""
    texts = scene.texts
    if not view.findings:
        return [texts("admin.well")]
    return [texts("admin.wrong", n=len(view.findings)), *(finding_words(one, texts) for one in view.findings)]


def _access_line(view: OperatorView, scene: Scene) -> Html:
    if view.allowlist:
        return scene.texts("admin.listed", let_in=view.let_in, turned_away=view.turned_away)
    return scene.texts("admin.open", turned_away=view.turned_away)


def _broadcast_line(view: BroadcastView, scene: Scene) -> Html:
    line = "admin.sending" if view.stage == "sending" or view.waiting else "admin.sent"
    return scene.texts(line, told=view.told, n=view.chats, text=echo(view.text))


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
