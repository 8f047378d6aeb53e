"""What can go wrong with the memory, each as one sentence for the person who runs the bot."""


class StorageError(Exception):
    """The database did not do what was asked; nothing of that transaction is stored.

    `told`: the log says so already, and the trouble has not ended since.
    """

    told = False


class DatabaseInUseError(StorageError):
    """Another process already works on this database file."""


class NewerDatabaseError(StorageError):
    """The database was written by a newer version of Liqwatch."""


class CannotOpenError(StorageError):
    """The database cannot be opened where it is said to be."""


class CorruptDatabaseError(StorageError):
    """What is stored there is not a sound database."""


class DiskFullError(StorageError):
    """There is no space left; writing works again by itself when there is."""


class ReadOnlyError(StorageError):
    """The database may not be written; writing works again by itself when it may."""


class DatabaseBusyError(StorageError):
    """Something else held the database locked for too long."""


class DiskFailedError(StorageError):
    """The disk refused a read or a write."""


class UnreadableBlobError(StorageError):
    """A stored blob is damaged or of a kind this version does not know."""


class ClosedError(StorageError):
    """The database has been closed; nothing can be read or written any more."""


class LostLeaseError(StorageError):
    """Another process has taken over what this one did; it may not write any more."""


class RuleLimitError(StorageError):
    """The chat has as many rules as it may."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"This chat has its {limit} rules already.")
        self.limit = limit


_SQLITE: tuple[tuple[str, type[StorageError], str], ...] = (
    ("SQLITE_FULL", DiskFullError, "the disk is full"),
    ("SQLITE_READONLY", ReadOnlyError, "it is read-only"),
    ("SQLITE_BUSY", DatabaseBusyError, "another program keeps it locked"),
    ("SQLITE_LOCKED", DatabaseBusyError, "another program keeps it locked"),
    ("SQLITE_CANTOPEN", CannotOpenError, "it cannot be opened: does its folder exist, and may it be written"),
    ("SQLITE_PERM", CannotOpenError, "this user may not open it"),
    ("SQLITE_NOTADB", CorruptDatabaseError, "it is not a database"),
    ("SQLITE_CORRUPT", CorruptDatabaseError, "it is damaged"),
    ("SQLITE_IOERR", DiskFailedError, "the disk failed"),
)
_POSTGRESQL: tuple[tuple[str, type[StorageError], str], ...] = (
    ("53100", DiskFullError, "its disk is full"),
    ("25006", ReadOnlyError, "it is read-only"),
    ("55P03", DatabaseBusyError, "another session keeps it locked"),
    ("40", DatabaseBusyError, "two transactions got in each other's way"),
    ("08", CannotOpenError, "the connection failed"),
    ("57P", CannotOpenError, "it is shutting down"),
    ("57014", DatabaseBusyError, "the statement took too long"),
    ("53", DatabaseBusyError, "it has no connection or memory left"),
    ("58", DiskFailedError, "its disk failed"),
    ("XX", CorruptDatabaseError, "it is damaged"),
)


def translate(driver: BaseException | None, where: str) -> StorageError:
    """The StorageError that a driver's own error means; `where` names the database and holds no password."""
    code = getattr(driver, "sqlite_errorname", None)
    table = _SQLITE
    if code is None:
        code, table = getattr(driver, "sqlstate", None), _POSTGRESQL
    for start, kind, words in table:
        if code is not None and code.startswith(start):
            return kind(f"The database {where} did not answer: {words} ({code}).")
    # A driver's later lines quote the statement, or the row with all it says.
    said = f"{driver}".partition("\n")[0].rstrip(".")
    if code is None and type(driver).__name__ == "OperationalError" and table is _POSTGRESQL:
        return CannotOpenError(f"The database {where} cannot be reached: {said}.")
    return StorageError(f"The database {where} refused a statement: {said}.")
