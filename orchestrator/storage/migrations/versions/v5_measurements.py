"""Version 5: measurements by the settings of their probe, kept weights, and the view of measurements."""

import sqlalchemy as sa
from alembic import op

from orchestrator.storage.migrations.views_5 import VIEWS

revision = "5"
down_revision = "4"

_BEFORE = sa.table(
    "measurements",
    sa.column("trial", sa.String()),
    sa.column("kind", sa.Text()),
    sa.column("found", sa.JSON()),
    sa.column("measured_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Add settings, their hash and the time taken to measurements; make the table of weights and the view."""
    connection = op.get_bind()
    rows = [dict(row) for row in connection.execute(sa.select(_BEFORE)).mappings()]
    op.drop_table("measurements")
    measurements = op.create_table(
        "measurements",
        sa.Column("trial", sa.String(length=64), nullable=False, comment="The trial whose trained network was probed"),
        sa.Column("kind", sa.Text(), nullable=False, comment="The probe's name"),
        sa.Column("key", sa.String(length=16), nullable=False, comment="Hash of the probe's settings"),
        sa.Column("settings", sa.JSON(), nullable=False, comment="The probe's settings"),
        sa.Column("found", sa.JSON(), nullable=False, comment="What the probe found, as the probe defines it"),
        sa.Column("seconds", sa.Double(), comment="How long the measurement took"),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False, comment="When it was measured"),
        sa.ForeignKeyConstraint(["trial"], ["trials.id"], name="fk_measurements_trial", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial", "kind", "key", name="pk_measurements"),
        comment="What a probe found in one trained network; measuring again replaces it",
    )
    if rows:
        op.bulk_insert(measurements, [{**row, "key": "", "settings": {}} for row in rows])
    op.create_table(
        "weights",
        sa.Column("trial", sa.String(length=64), nullable=False, comment="The trial that trained them"),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False, comment="Epochs behind the weights"),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the file"),
        sa.Column("bytes", sa.BigInteger(), nullable=False, comment="Size of the file"),
        sa.Column("path", sa.Text(), nullable=False, comment="Where the file is"),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False, comment="When it was written"),
        sa.ForeignKeyConstraint(["trial"], ["trials.id"], name="fk_weights_trial", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial", "epoch", name="pk_weights"),
        comment="The files of trained weights that were kept",
    )
    for name, query in VIEWS[connection.dialect.name].items():
        op.execute(f"CREATE VIEW {name} AS {query}")
