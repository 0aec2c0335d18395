"""Version 7: which process runs a study, whatever clocks and containers do."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add what tells the process of a driver from every other."""
    op.add_column(
        "studies",
        sa.Column(
            "lease_process",
            sa.String(),
            comment="Boot, PID namespace and start in clock ticks of that process, where its system tells them",
        ),
    )
