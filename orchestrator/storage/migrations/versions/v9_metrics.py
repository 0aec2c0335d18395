"""Version 9: every metric of a trial has a column in trial_results."""

from alembic import op

from orchestrator.storage.migrations.views_9 import VIEWS

revision = "9"
down_revision = "8"


def upgrade() -> None:
    """Make the view trial_results of version 6 again, with gap and peak_memory."""
    for name, query in VIEWS[op.get_bind().dialect.name].items():
        op.execute(f"DROP VIEW {name}")
        op.execute(f"CREATE VIEW {name} AS {query}")
