"""`python -m tests.fakes.bot_api --port 0`: the fake as a process; its first line of output is its URL."""

import argparse
import asyncio
import signal

from tests.fakes.bot_api.rates import Rates
from tests.fakes.bot_api.server import TOKEN, FakeBotApi


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    rates = Rates() if options.rates else None
    async with FakeBotApi(
        token=options.token, port=options.port, rates=rates, latency_s=options.latency_s, any_chat=options.any_chat
    ) as api:
        print(api.url, flush=True)  # noqa: T201 (whoever started this process reads it)
        await stop.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.bot_api", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default=TOKEN)
    parser.add_argument("--rates", action="store_true", help="hold Telegram's flood limits")
    parser.add_argument("--latency-s", type=float, default=0.0, help="how long each request takes")
    parser.add_argument("--any-chat", action="store_true", help="every chat id exists")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
