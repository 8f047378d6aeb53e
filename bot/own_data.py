"""What is kept of a chat, as a document for its owner, and the terms on which it is kept."""

import json

from bot import __version__
from bot.clock import Clock
from bot.storage.retention import KEEP_DAYS
from bot.storage.whole_chat import WholeChat
from bot.telegram.desk import StoredView, TermsView
from bot.times import utc_text

LICENCE = "MIT"


class OwnData:
    """Answers what is stored. `why_days` and `source_url` are settings."""

    def __init__(self, whole_chat: WholeChat, clock: Clock, *, why_days: int, source_url: str) -> None:
        self._whole_chat = whole_chat
        self._clock = clock
        self._why_days = why_days
        self._source_url = source_url

    def terms(self) -> TermsView:
        """What runs here, and how long it keeps what."""
        return TermsView(
            version=__version__,
            licence=LICENCE,
            source_url=self._source_url,
            told_days=KEEP_DAYS["outbox"],
            decided_days=self._why_days,
            followed_days=KEEP_DAYS["outcomes"],
            deleted_days=KEEP_DAYS["rules"],
        )

    async def export(self, chat: int) -> StoredView:
        """Every row of a chat as a JSON document, its tables by their names."""
        stored = await self._whole_chat.read(chat)
        document = {
            "liqwatch": __version__,
            "written": utc_text(self._clock.now_ms()),
            "chat": chat,
            "left_out": stored.left_out,
            "stored": stored.rows,
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        return StoredView(text.encode(), stored.left_out)
