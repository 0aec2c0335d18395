"""Version 2: what an architecture search sees and does."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Add the validation columns of an epoch, the record of a search, and its proposals."""
    op.add_column(
        "epochs", sa.Column("val_loss", sa.Double(), comment="Mean loss of the images held out of the training set")
    )
    op.add_column(
        "epochs",
        sa.Column("val_error", sa.Double(), comment="Error in per cent of the images held out of the training set"),
    )
    op.add_column(
        "studies",
        sa.Column("search", sa.JSON(), comment="Record of an architecture search: what it proposed and what it showed"),
    )
    op.create_table(
        "proposals",
        sa.Column("study", sa.Integer(), nullable=False, comment="The study that searches"),
        sa.Column(
            "campaign", sa.String(length=64), nullable=False, comment="Hash of the space, the sampler and its role"
        ),
        sa.Column(
            "number", sa.Integer(), autoincrement=False, nullable=False, comment="Number of the proposal, from 0"
        ),
        sa.Column(
            "arm",
            sa.String(length=64),
            comment="Hash of the proposed arm, as in arms.hash; NULL when none could be built",
        ),
        sa.Column(
            "origin",
            sa.String(length=16),
            nullable=False,
            comment="Who proposed it: baseline, warm, sampler, grid or chance",
        ),
        sa.Column(
            "fate",
            sa.String(length=16),
            nullable=False,
            comment="trained, answered from an earlier arm, busy, or rejected",
        ),
        sa.Column("reason", sa.Text(), comment="Why it was rejected"),
        sa.Column("params", sa.JSON(), nullable=False, comment="What the sampler chose, by parameter"),
        sa.Column("attributes", sa.JSON(), nullable=False, comment="What the sampler keeps about the proposal"),
        sa.ForeignKeyConstraint(["study"], ["studies.id"], name="fk_proposals_study", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study", "campaign", "number", name="pk_proposals"),
        comment="What the sampler of a search proposed, in order, from which an interrupted search goes on",
    )
