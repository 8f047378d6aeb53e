"""/privacy, /about, /mydata and /forgetme: what is kept of a chat, all of it as a file, and its end."""

from bot.delivery.messenger import Document, Message
from bot.telegram.callbacks import key
from bot.telegram.scene import Answer, Scene
from bot.telegram.texts import Html
from bot.telegram.texts.figures import DAY_MS
from bot.telegram.venues import exchange_name

FILE_NAME = "liqwatch.json"


def privacy(scene: Scene) -> Answer:
    """What is kept, and for how long."""
    terms, duration = scene.desk.terms(), scene.texts.figures.duration
    text = scene.texts(
        "privacy.text",
        told=duration(terms.told_days * DAY_MS),
        decided=duration(terms.decided_days * DAY_MS),
        followed=duration(terms.followed_days * DAY_MS),
        deleted=duration(terms.deleted_days * DAY_MS),
    )
    return Answer(Message(text))


def about(scene: Scene) -> Answer:
    """Which version of what this is, from where its figures come, and under which licence."""
    terms, texts = scene.desk.terms(), scene.texts
    names = Html(texts("venues.join").join(exchange_name(name, texts) for name in scene.desk.exchanges()))
    lines = [texts("about.text", version=terms.version, exchanges=names, licence=terms.licence)]
    if terms.source_url:
        lines.append(texts("about.source", url=terms.source_url))
    return Answer(Message(Html("\n".join(lines))))


async def my_data(scene: Scene) -> Answer:
    """Everything that is stored of the chat, as a file."""
    stored = await scene.desk.export(scene.chat)
    lines = [scene.texts("mydata.sent")]
    if stored.left_out:
        lines.append(scene.texts("mydata.left_out", n=stored.left_out))
    return Answer(Message(Html("\n".join(lines)), document=Document(FILE_NAME, stored.document)))


async def ask_to_forget(scene: Scene) -> Answer:
    """What would go, and a question."""
    texts, rules = scene.texts, await scene.desk.rules(scene.chat)
    keys = (key(texts.label("button.forget"), "fy"), key(texts.label("button.keep"), "fn"))
    return Answer(Message(texts("forget.ask", n=len(rules)), (keys,)))


async def forget(scene: Scene) -> Answer:
    """The question was answered with yes: nothing of the chat is kept."""
    await scene.desk.forget(scene.chat)
    return Answer(Message(scene.texts("forget.done")), toast=scene.texts.label("toast.deleted"))


def not_forgotten(scene: Scene) -> Answer:
    """The question was answered with no."""
    return Answer(Message(scene.texts("forget.kept")))
