"""Version 4: what ended an attempt without a result."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Add the cause of a failure to trials, and cause, traceback and log to attempts."""
    op.add_column(
        "trials",
        sa.Column(
            "cause",
            sa.String(length=16),
            comment="What made it fail, in one word, for instance oom or code; NULL otherwise",
        ),
    )
    op.add_column(
        "attempts",
        sa.Column(
            "cause",
            sa.String(length=16),
            comment="What ended it without a result, in one word, for instance oom or node_lost",
        ),
    )
    op.add_column(
        "attempts", sa.Column("traceback", sa.Text(), comment="The Python traceback of the error that ended it")
    )
    op.add_column(
        "attempts",
        sa.Column("log", sa.Text(), comment="The last lines that it printed, where it ended without a result"),
    )
