"""A strict Bot API server for tests: it holds Telegram's limits, parses the HTML, and fails on request.

In-process: `async with FakeBotApi() as api:`. As a process: `python -m tests.fakes.bot_api --port 0` (see __main__).
"""

from tests.fakes.bot_api.faults import Fault
from tests.fakes.bot_api.journal import Entry
from tests.fakes.bot_api.rates import Rates
from tests.fakes.bot_api.refusal import Refusal
from tests.fakes.bot_api.server import TOKEN, FakeBotApi
from tests.fakes.bot_api.state import Chat, Posted

__all__ = ["TOKEN", "Chat", "Entry", "FakeBotApi", "Fault", "Posted", "Rates", "Refusal"]
