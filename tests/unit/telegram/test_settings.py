"""The settings as a chat that speaks another language uses them, and the ways of picking a language."""

import tomllib
from pathlib import Path

import pytest

import bot.telegram.texts as texts_folder
from bot.delivery.messenger import Message
from bot.telegram.asking import changes
from bot.telegram.callbacks import unpack
from bot.telegram.conversation import Conversation
from bot.telegram.limits import bare
from bot.telegram.texts import Catalogue
from bot.telegram.turn import Inbound, Reply
from tests.fakes.chat import Chat
from tests.fakes.desk import FakeDesk

ENGLISH = Path(texts_folder.__file__).parent / "en.toml"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """English and a German of which the first words of some texts are translated."""
    folder = tmp_path_factory.mktemp("texts")
    english = ENGLISH.read_text(encoding="utf-8")
    (folder / "en.toml").write_text(english, encoding="utf-8")
    german = english.replace("<b>Settings</b>", "<b>Einstellungen</b>").replace('saved = "Saved"', 'saved = "Gemerkt"')
    assert tomllib.loads(german) != tomllib.loads(english)
    (folder / "de.toml").write_text(german, encoding="utf-8")
    return Catalogue.load(folder)


class Talk:
    """A person whose client speaks a language, and a bot that speaks two."""

    def __init__(self, catalogue: Catalogue, client: str | None) -> None:
        self.desk = FakeDesk()
        self.conversation = Conversation(self.desk, catalogue)
        self.client = client

    async def type(self, text: str) -> Message:
        (answer,) = await self.conversation.answer(Inbound(1, 7, language=self.client, text=text))
        assert isinstance(answer, Reply)
        return answer.message

    async def title(self) -> str:
        return bare((await self.type("/settings")).text).splitlines()[0]


@pytest.mark.parametrize(
    ("client", "title"),
    [("de", "Einstellungen"), ("de-at", "Einstellungen"), ("en", "Settings"), ("fi", "Settings"), (None, "Settings")],
)
async def test_the_client_s_language_is_spoken_until_another_is_chosen(
    catalogue: Catalogue, client: str | None, title: str
) -> None:
    talk = Talk(catalogue, client)
    assert await talk.title() == title
    await talk.type("/settings language en")
    assert await talk.title() == "Settings"
    await talk.type("/settings language Deutsch")
    assert await talk.title() == "Einstellungen"
    await talk.type("/settings language as in telegram")
    assert await talk.title() == title


async def test_every_language_is_offered_by_its_own_name(catalogue: Catalogue) -> None:
    message = await Talk(catalogue, "de").type("/settings language")
    keys = [button.text for row in message.buttons[:-1] for button in row]
    assert keys == ["✓ As in Telegram", "English", "Deutsch"]


async def test_the_confirmation_speaks_the_language_just_chosen(catalogue: Catalogue) -> None:
    talk = Talk(catalogue, "en")
    assert bare((await talk.type("/settings language de")).text).startswith("Einstellungen")


async def test_what_a_group_shows_anyone_may_see_and_only_admins_change() -> None:
    chat = Chat(kind="supergroup", may_change=False)
    await chat.type("/settings")
    await chat.tap("Sound")
    await chat.tap("Nothing")
    await chat.type("/settings sound none")
    assert chat.desk.chosen == {}
    for text in ("/settings sound none", "/settings@LiqwatchBot zone berlin", "/forgetme", "/mydata"):
        assert changes(Inbound(1, 7, text=text))


async def test_every_key_of_the_settings_leads_on_and_back() -> None:
    chat = Chat()
    await chat.type("/settings")
    (root,) = chat.screen
    pages = [button for button in chat.keys(root) if unpack(button.data or "").verb == "sg"]
    assert len(pages) == 8
    for page in pages:
        await chat.tap_key(root, page)
        await chat.tap("‹ Settings")
        assert list(chat.screen) == [root], "all in one message"


async def test_typed_days_are_those_of_the_chat_s_clock() -> None:
    chat = Chat()
    await chat.type("/settings zone tokyo")
    await chat.type("/watch BTC 1% until 22:30")
    (view,) = await chat.desk.rules(chat.chat_id)
    assert view.rule.expires_ms % 86_400_000 == (22 * 60 + 30 - 9 * 60) * 60_000
    assert "22:30" in chat.said
