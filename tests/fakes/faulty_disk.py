"""A real database file on a disk that refuses at a word: through pragmas, so that SQLite itself says no."""

from pathlib import Path
from typing import Any, Self

from sqlalchemy import event, make_url

from bot.storage.access import Access
from bot.storage.database import Database
from bot.storage.engine import make_engine

FULL = "max_page_count = 1"
READ_ONLY = "query_only = ON"
IMPATIENT = "busy_timeout = 1"


class FaultyDisk:
    """`db` writes through a connection that `suffer` spoils and `heal` mends; reading always works.

    Not `synced`, it forgets what was written if this machine stops, and is fast.
    """

    def __init__(self, path: Path, *, inline: bool, access: type[Access] = Access, synced: bool = True) -> None:
        url = make_url(f"sqlite:///{path}")
        self._fault: str | None = None
        self._synced = synced
        self._writer = make_engine(url, writes=True)
        event.listen(self._writer, "connect", self._spoil)
        self._reader = make_engine(url, writes=False)
        self._access_kind, self._inline = access, inline
        self.start_anew()

    def start_anew(self) -> None:
        """Another process on the same file: `db` is a new one."""
        self.access = self._access_kind(self._writer, self._reader, where="here", inline=self._inline)
        self.db = Database(self.access)

    @classmethod
    async def open(cls, folder: Path, *, inline: bool = False) -> Self:
        path = folder / "liqwatch.db"
        await (await Database.open(f"sqlite:///{path}", inline=True)).close()
        return cls(path, inline=inline)

    def suffer(self, fault: str) -> None:
        self._fault = fault
        self._writer.dispose()

    def heal(self) -> None:
        """What was spoiled stays so until the storage opens a new connection, as it must by itself."""
        self._fault = None

    def _spoil(self, connection: Any, _record: object) -> None:
        if not self._synced:
            connection.execute("PRAGMA synchronous = OFF")
        if self._fault:
            connection.execute(f"PRAGMA {self._fault}")
