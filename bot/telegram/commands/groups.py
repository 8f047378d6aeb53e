"""What is said in a group without being asked, and what is left to its people."""

from bot.delivery.messenger import Message
from bot.telegram.callbacks import key
from bot.telegram.commands import typed_rule
from bot.telegram.scene import Answer, Scene, chips

MARKETS = 4


async def joined(scene: Scene) -> Answer:
    """One greeting: what the bot does and who may ask what; where rules are left from before, that they run again."""
    texts, rules = scene.texts, await scene.desk.rules(scene.chat)
    if rules:
        again = texts("groups.back", n=len(rules))
        return Answer(Message(again, ((key(texts.label("button.rules"), "r"),),)))
    return Answer(Message(texts("groups.welcome"), chips(scene.desk.popular()[:MARKETS], "w")))


async def is_talk(scene: Scene, text: str) -> bool:
    """Whether a line that does not name the bot is talk among people: about an alert, and nothing that can be read."""
    message = scene.inbound.reply_to
    if message is None:
        return True
    if not await scene.desk.why_told(scene.chat, message):
        return False
    return not await typed_rule.can_read(scene, text)
