"""Whose a file is that root makes in a folder of somebody else's: the bot that runs there must be able to write it."""

import contextlib
import os
import sys
from pathlib import Path


def give_to_owner_of_folder(path: Path) -> None:
    """Let a file belong to whoever its folder belongs to; only root can, and only root need."""
    if sys.platform != "win32" and os.geteuid() == 0:
        folder = path.parent.stat()
        with contextlib.suppress(PermissionError):  # a container's root may not give anything away
            os.chown(path, folder.st_uid, folder.st_gid)
