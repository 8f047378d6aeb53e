"""How strong a cluster was at its best: what a sweep is told by, since little stands by then."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("tracks", sa.Column("best_strength", sa.Integer, nullable=False, server_default=sa.text("0")))
    op.execute("UPDATE tracks SET best_strength = strength")
