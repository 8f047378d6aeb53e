"""Pictures the server already has: uploaded once, sent to the next chats by file_id."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_UPLOAD_WAIT_S = 10.0


@dataclass(slots=True)
class Picture:
    """A picture in use; `file_id` is None until the server has given one, and again once it refuses it."""

    file_id: str | None = None


class Pictures:
    """File ids by the picture's name, the least recently used forgotten first."""

    def __init__(self, *, capacity: int = 1024, upload_wait_s: float = _UPLOAD_WAIT_S) -> None:
        self._capacity = capacity
        self._upload_wait_s = upload_wait_s
        self._known: OrderedDict[str, str] = OrderedDict()
        self._uploads: dict[str, asyncio.Event] = {}

    def known(self, name: str) -> str | None:
        """The file_id of a picture that the server has, as far as is known."""
        return self._known.get(name)

    @asynccontextmanager
    async def named(self, name: str | None) -> AsyncIterator[Picture]:
        """The picture of this name; what the block leaves in `file_id` is remembered.

        While another block uploads it, this one waits a while for its file_id, then uploads it itself.
        """
        if name is None:
            yield Picture()
            return
        if name not in self._known and name in self._uploads:
            await self._await_upload(self._uploads[name])
        known = self._known.get(name)
        picture = Picture(known)
        upload = asyncio.Event()
        if known is None:
            self._uploads.setdefault(name, upload)
        try:
            yield picture
        finally:
            if picture.file_id is not None:
                self._remember(name, picture.file_id)
            elif self._known.get(name) == known:
                self._known.pop(name, None)
            if self._uploads.get(name) is upload:
                del self._uploads[name]
            upload.set()

    async def _await_upload(self, upload: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self._upload_wait_s):
                await upload.wait()
        except TimeoutError:
            return

    def _remember(self, name: str, file_id: str) -> None:
        self._known[name] = file_id
        self._known.move_to_end(name)
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)
