"""/stats: what came of the chat's alerts, beside what chance would give."""

from bot.delivery.messenger import Message
from bot.telegram.callbacks import key
from bot.telegram.commands.rules import named
from bot.telegram.scene import Answer, Scene
from bot.telegram.stats_text import stats_lines
from bot.telegram.texts import Html


async def stats_answer(scene: Scene, *, fresh: bool = True) -> Answer:
    """The page, with a button that shows it anew in its place."""
    texts = scene.texts
    view = await scene.desk.stats(scene.chat)
    parts = [
        texts("stats.title", n=view.days),
        *stats_lines(view, texts, named=lambda rule: named(scene, rule)),
        "",
        texts("alert.small", text=texts("stats.legend")),
    ]
    buttons = ((key(texts.label("button.refresh"), "sa"), key(texts.label("button.rules"), "rn")),)
    toast = "" if fresh else texts.label("toast.refreshed")
    return Answer(Message(Html("\n".join(parts)), buttons), toast=toast, fresh=fresh)
