"""Version 3: what the report says of each network."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Add the description of an arm's network."""
    op.add_column(
        "arms",
        sa.Column(
            "description",
            sa.JSON(),
            comment="The network in words, stage by stage, and its unit as a drawing shows it",
        ),
    )
