"""What suppliers charge for peaks and by the month, as two more KPIs.

Revision: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CHARGES = ("demand_charges", "standing_charges")


def upgrade() -> None:
    """Add the columns; no system could have such charges before."""
    for name in _CHARGES:
        op.add_column("runs", sa.Column(name, sa.Double))
    none = ", ".join(f"{name} = 0" for name in _CHARGES)
    op.execute(f"UPDATE runs SET {none} WHERE total_cost IS NOT NULL")
