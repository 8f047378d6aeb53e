"""Each stream over a wire that is late, cut, noisy, slow or dead: it comes back, says nothing wrong, nothing twice."""

import asyncio

import pytest

from bot.market.feed import Print, Stretch, joined_stretches
from tests.fakes.fault_proxy import Fault
from tests.integration.listening import eventually
from tests.integration.test_live_streams import VENUES, Rig, Venue, rig_of
from tests.shared import needs_shared

pytestmark = needs_shared

SILENCE_S = 0.6
DEAF = {Fault.BLACK_HOLE, Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.HALF_CLOSE, Fault.GARBAGE}
"""Faults through which nothing can be understood."""

OLD_PRICE = 99.5
"""Of the old liquidation that the fake OKX greets with."""


@pytest.fixture(scope="module")
def venue() -> Venue:
    return Venue()


async def tell(rig: Rig) -> None:
    await rig.server.liquidate("BTCUSDT", price="88000.5", coins=0.25)


async def tells_until_heard(rig: Rig) -> None:
    """Liquidations are told until one comes through."""
    before = len(heard(rig))
    async with asyncio.timeout(20):
        while len(heard(rig)) == before:
            await tell(rig)
            await asyncio.sleep(0.05)


def heard(rig: Rig) -> list[Print]:
    return [one for one in rig.prints() if one.price != OLD_PRICE]


def nothing_wrong_and_nothing_twice(rig: Rig) -> None:
    told = {(one.symbol, one.price, one.coins, one.is_long) for one in heard(rig)}
    assert told == {("BTCUSDT", 88000.5, 0.25, True)}
    assert len(rig.heard) == len(set(rig.heard))


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("name", VENUES)
async def test_a_line_comes_back_after_a_fault_and_never_says_it_heard_through_it(
    name: str, fault: Fault, venue: Venue
) -> None:
    async with rig_of(name, venue, silence_s=SILENCE_S) as rig:
        await tells_until_heard(rig)
        rig.wire.spoil(fault)
        await eventually(lambda: rig.wire.met[fault])
        rig.prints()
        stretches: list[Stretch] = []
        begin_ms = venue.now_ms()
        for _ in range(10):
            await tell(rig)
            await asyncio.sleep(0.15)
        news = rig.stream.take()
        rig.heard += news.prints
        stretches += news.stretches
        if fault in DEAF:
            # What was under way when the wire failed may still have been heard.
            assert all(end <= begin_ms + 300 for _, end in joined_stretches(stretches)), (begin_ms, stretches)
        rig.wire.heal()
        if fault in (Fault.GARBAGE, Fault.GARBAGE_INSIDE):
            rig.wire.cut()  # or a handshake of noise would be waited for, ten seconds long
        await tells_until_heard(rig)
        nothing_wrong_and_nothing_twice(rig)


@pytest.mark.parametrize("name", VENUES)
async def test_a_wire_that_is_cut_again_and_again_is_made_again_each_time(name: str, venue: Venue) -> None:
    async with rig_of(name, venue, silence_s=SILENCE_S) as rig:
        for _ in range(3):
            await tells_until_heard(rig)
            rig.wire.cut()
        await tells_until_heard(rig)
        assert rig.wire.open <= 2
        nothing_wrong_and_nothing_twice(rig)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault.RESET_BEFORE, "is not heard, so nothing new can be proven: the connection broke off"),
        (Fault.BLACK_HOLE, "is not heard, so nothing new can be proven: no heart-beat for 0.6 s"),
        (Fault.GARBAGE, "is not heard, so nothing new can be proven: what came is no websocket's answer"),
    ],
)
async def test_an_operator_reads_what_became_of_the_line(
    fault: Fault, words: str, venue: Venue, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig_of("binance", venue, silence_s=SILENCE_S) as rig:
        await tells_until_heard(rig)
        rig.wire.spoil(fault)
        await eventually(lambda: words in caplog.text)
