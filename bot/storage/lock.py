"""One process at a time on one database file: a lock the system releases however the process ends."""

import os
import sys
from pathlib import Path
from typing import IO

from bot.storage.errors import CannotOpenError, DatabaseInUseError
from bot.storage.ownership import give_to_owner_of_folder


class FileLock:
    """Holds `<database>-lock` locked from creation to `release`; the file itself stays."""

    def __init__(self, database: Path) -> None:
        """Take the lock. Raises DatabaseInUseError where another process has it."""
        path = database.with_name(database.name + "-lock")
        try:
            file = path.open("a+b")
            give_to_owner_of_folder(path)
        except OSError as error:
            raise CannotOpenError(
                f"The database {database} cannot be opened: {path.name} could not be written beside it"
                f" ({error.strerror}); does its folder exist, and may it be written?"
            ) from error
        if not _try_lock(file):
            file.seek(0)
            holder = file.read(20).decode("ascii", "replace").strip()
            file.close()
            who = f" (process {holder})" if holder.isdigit() else ""
            raise DatabaseInUseError(
                f"The database {database} is in use by another Liqwatch{who}:"
                " stop that one first, or set DATABASE_URL to another file."
            )
        file.truncate(0)
        file.write(str(os.getpid()).encode("ascii"))
        file.flush()
        self._file = file

    def release(self) -> None:
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    # Windows forbids reading a locked range, so the byte locked lies far behind the process id.
    _LOCKED_BYTE = 1 << 30

    def _try_lock(file: IO[bytes]) -> bool:
        file.seek(_LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
