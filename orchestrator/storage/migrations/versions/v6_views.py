"""Version 6: views that tell trials of one arm's versions apart."""

from alembic import op

from orchestrator.storage.migrations.views_6 import VIEWS

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Make the three views of version 1 again, with the trial's id, its orphaned arm, stage and validation error."""
    for name, query in VIEWS[op.get_bind().dialect.name].items():
        op.execute(f"DROP VIEW {name}")
        op.execute(f"CREATE VIEW {name} AS {query}")
