"""The two ways a command ends badly on purpose."""


class UsageError(Exception):
    """A wrong argument; the text is one sentence that says what would be right."""


class FailedError(Exception):
    """The command could not do its work; the text is one sentence that says why and what to do."""
