"""How tables are made here.

Times are integers, milliseconds UTC. Enumerations are text held by a check. Two options name SQLite and do nothing
elsewhere: STRICT, and AUTOINCREMENT where an id must never be used again.
"""

from collections.abc import Sequence

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMING)

# SQLite's strict tables know INTEGER and REAL only, and a row id must be exactly INTEGER there.
Int64 = BigInteger().with_variant(Integer, "sqlite")
Float64: Double[float] = Double().with_variant(REAL, "sqlite")


def table(name: str, *items: SchemaItem, never_reuse_ids: bool = False) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True, sqlite_autoincrement=never_reuse_ids)


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def index_where(name: str, condition: str, *columns: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))


def market() -> tuple[Column[str], Column[str]]:
    return Column("exchange", Text, nullable=False), Column("symbol", Text, nullable=False)
