"""Version 11: the events of a study are found by their kind without reading those of every trial."""

from alembic import op

revision = "11"
down_revision = "10"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_events_study_kind", "events", ["study", "kind"])
