"""Version 10: measurements of many rows are kept as columns, which programs of version 9 cannot read."""

import sqlalchemy as sa
from alembic import op

revision = "10"
down_revision = "9"


def upgrade() -> None:
    """Say what the column may hold now; the measurements that are there stay as they are, and are read as before."""
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column(
            "measurements",
            "found",
            existing_type=sa.JSON(),
            comment="What the probe found, as the probe defines it; many rows as columns",
        )
