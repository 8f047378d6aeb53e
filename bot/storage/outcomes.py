"""What came of each alert: those still followed, and a chat's past ones for its hit rates."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, Row, Select, or_, select

from bot.alerts.outcomes import Ending, Outcome
from bot.alerts.types import Kind, Market
from bot.liquidation.types import Side
from bot.storage.access import Access
from bot.storage.statements import upsert
from bot.storage.tables import outcomes

Plain = dict[str, Any]


class Outcomes:
    """Reads of the `outcomes` table; it is written by `Database.commit_changes`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def open(self) -> Sequence[Outcome]:
        """Every outcome that is still waited for, oldest first."""
        waits = or_(outcomes.c.ending.is_(None), outcomes.c.settled_ms == 0)
        return await self._found(select(outcomes).where(waits))

    async def of_chat(self, chat: int, *, since_ms: int) -> Sequence[Outcome]:
        """What came of a chat's alerts since then, oldest first."""
        return await self._found(select(outcomes).where(outcomes.c.chat == chat, outcomes.c.time_ms >= since_ms))

    async def _found(self, statement: Select[Any]) -> Sequence[Outcome]:
        ordered = statement.order_by(outcomes.c.time_ms, outcomes.c.alert)
        return await self._access.read(lambda connection: [_outcome(row) for row in connection.execute(ordered)])


def write_outcomes(connection: Connection, changed: Sequence[Outcome]) -> None:
    """Write new and changed outcomes."""
    upsert(connection, outcomes, [outcome_to_plain(outcome) for outcome in changed])


def outcome_to_plain(outcome: Outcome) -> Plain:
    """An outcome as a row, and as JSON can hold it."""
    values = structs.asdict(outcome)
    del values["market"]
    return {
        **{name: value.item() if hasattr(value, "item") else value for name, value in values.items()},
        "kind": outcome.kind.value,
        "side": outcome.side.value,
        "ending": None if outcome.ending is None else outcome.ending.value,
        "exchange": outcome.market.exchange,
        "symbol": outcome.market.symbol,
    }


def outcome_from_plain(plain: Mapping[str, Any]) -> Outcome:
    """What `outcome_to_plain` made."""
    fields = {name: plain[name] for name in Outcome.__struct_fields__ if name != "market"}
    return Outcome(
        **{
            **fields,
            "market": Market(plain["exchange"], plain["symbol"]),
            "kind": Kind(plain["kind"]),
            "side": Side(plain["side"]),
            "ending": None if plain["ending"] is None else Ending(plain["ending"]),
        }
    )


def _outcome(row: Row[Any]) -> Outcome:
    return outcome_from_plain(row._asdict())
