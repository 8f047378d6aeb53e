"""What people say to the bot, by what it is about; each script is kept in two languages by `test_transcripts`."""

from collections.abc import Awaitable, Callable

from tests.fakes.chat import Chat

Script = Callable[[Chat], Awaitable[None]]
