"""Exposure tells of price near a liquidation price and of a crowd there: its distance is price's, not a cluster's."""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("UPDATE rules SET threshold_pct = 3.0, min_usd = NULL, min_strength = NULL WHERE kind = 'exposure'")
