"""Version 1: the tables and views of the contract."""

import sqlalchemy as sa
from alembic import op

from orchestrator.storage.migrations.views_1 import VIEWS

revision = "1"
down_revision = None


def upgrade() -> None:
    """Create every table, then the views on them."""
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False, comment="Number of the study in this database"),
        sa.Column("name", sa.String(), nullable=False, comment="The study's name, as its file gives it"),
        sa.Column("question", sa.Text(), nullable=False, comment="What the study asks, in the author's words"),
        sa.Column("source", sa.Text(), nullable=False, comment="The study file as the user wrote it"),
        sa.Column("settings", sa.JSON(), nullable=False, comment="The study file with every default filled in"),
        sa.Column("factors", sa.JSON(), nullable=False, comment="Factor -> its levels, in the file's order"),
        sa.Column("baseline", sa.JSON(), nullable=False, comment="Factor -> the level that others are compared with"),
        sa.Column("fail_above", sa.Double(), comment="Test error in per cent above which the tables say fail"),
        sa.Column(
            "plan_hash", sa.String(), comment="Hash of all that a verdict depends on: arms, seeds, claims, analysis"
        ),
        sa.Column("command", sa.Text(), comment="The command that planned the study last"),
        sa.Column("git", sa.Text(), comment="Git revision of the folder that the command ran in"),
        sa.Column("notes", sa.JSON(), nullable=False, comment="Sentences about the plan that the report repeats"),
        sa.Column(
            "planned_at",
            sa.DateTime(timezone=True),
            comment="When the study was planned last; NULL until the first plan is recorded",
        ),
        sa.Column(
            "lease_owner", sa.String(), comment="Token of the driver that runs the study now; NULL when none does"
        ),
        sa.Column("lease_host", sa.Text(), comment="Host of that driver"),
        sa.Column("lease_pid", sa.BigInteger(), comment="Process number of that driver on its host"),
        sa.Column(
            "lease_process_started", sa.Double(), comment="When that process began, in seconds since 1970, by its host"
        ),
        sa.Column("lease_since", sa.DateTime(timezone=True), comment="When that driver began to run the study"),
        sa.Column("lease_heartbeat", sa.DateTime(timezone=True), comment="When that driver last said that it is alive"),
        sa.PrimaryKeyConstraint("id", name="pk_studies"),
        sa.UniqueConstraint("name", name="uq_studies_name"),
        comment="One row a study: the newest version of its file, and who runs it now",
    )
    op.create_table(
        "arms",
        sa.Column("id", sa.Integer(), nullable=False, comment="Number of the arm in this database"),
        sa.Column("study", sa.Integer(), nullable=False, comment="The study that the arm belongs to"),
        sa.Column(
            "hash",
            sa.String(length=64),
            nullable=False,
            comment="Identity: hash of the settings that can change a result",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="The arm's name in tables, unique within its study"),
        sa.Column("position", sa.Integer(), nullable=False, comment="Place in the study's order, from 0"),
        sa.Column("levels", sa.JSON(), nullable=False, comment="Factor -> level, in the factors' order"),
        sa.Column("settings", sa.JSON(), nullable=False, comment="Complete data, network and training settings"),
        sa.Column("params", sa.BigInteger(), comment="Trainable parameters of the network"),
        sa.Column("flops", sa.BigInteger(), comment="Multiply-adds of one forward pass of one image"),
        sa.Column("graph", sa.String(), comment="Hash of the built network; equal for identical architectures"),
        sa.Column(
            "added",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="True for an arm that a search added while the study ran",
        ),
        sa.Column(
            "orphaned",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="True for an arm of an earlier version of the study file",
        ),
        sa.ForeignKeyConstraint(["study"], ["studies.id"], name="fk_arms_study", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_arms"),
        sa.UniqueConstraint("study", "hash", name="uq_arms_study_hash"),
        sa.UniqueConstraint("study", "name", name="uq_arms_study_name"),
        comment="One row an arm of a study: one full assignment of levels",
    )
    op.create_index("ix_arms_hash", "arms", ["hash"])
    op.create_table(
        "arm_levels",
        sa.Column("arm", sa.Integer(), nullable=False, comment="The arm"),
        sa.Column("factor", sa.Text(), nullable=False, comment="The factor's name"),
        sa.Column("level", sa.Text(), nullable=False, comment="The level's name, as text"),
        sa.ForeignKeyConstraint(["arm"], ["arms.id"], name="fk_arm_levels_arm", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("arm", "factor", name="pk_arm_levels"),
        comment="One row a factor of an arm, for joins; arms.levels holds the same with its types",
    )
    op.create_table(
        "environments",
        sa.Column("id", sa.String(length=64), nullable=False, comment="Hash of the host and the facts"),
        sa.Column("host", sa.Text(), nullable=False, comment="The host's name"),
        sa.Column("facts", sa.JSON(), nullable=False, comment="Versions of the software, and the hardware"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False, comment="When it first trained a trial"),
        sa.PrimaryKeyConstraint("id", name="pk_environments"),
        comment="One row a software and hardware that trained trials",
    )
    op.create_table(
        "trials",
        sa.Column(
            "id",
            sa.String(length=64),
            nullable=False,
            comment="Hash of arm, data and seed: all that can change the result",
        ),
        sa.Column(
            "arm_hash", sa.String(length=64), nullable=False, comment="Hash of the arm's settings, as in arms.hash"
        ),
        sa.Column("data_fingerprint", sa.String(), nullable=False, comment="Hash of the data set's content"),
        sa.Column("seed", sa.BigInteger(), nullable=False, comment="The seed of every source of randomness"),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="Where the trial stands; a finished state never changes",
        ),
        sa.Column("reason", sa.Text(), comment="Why it diverged, was pruned or failed"),
        sa.Column(
            "epochs", sa.Integer(), server_default="0", nullable=False, comment="Number of the last epoch recorded"
        ),
        sa.Column("seconds", sa.Double(), comment="Training time in seconds"),
        sa.Column("images_per_second", sa.Double(), comment="Training images per second"),
        sa.Column("diverged_at", sa.Integer(), comment="Epoch in which the training diverged"),
        sa.Column("last_sound_loss", sa.Double(), comment="The last training loss before it diverged"),
        sa.Column("device", sa.Text(), comment="Device of the last attempt"),
        sa.Column("host", sa.Text(), comment="Host of the last attempt"),
        sa.Column("environment", sa.String(length=64), comment="Software and hardware of the last attempt"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="How often it was tried"),
        sa.Column("telemetry", sa.JSON(), nullable=False, comment="Further measured facts of the training"),
        sa.Column("started_at", sa.DateTime(timezone=True), comment="When the first attempt began"),
        sa.Column("finished_at", sa.DateTime(timezone=True), comment="When it reached its finished state"),
        sa.CheckConstraint(
            "state IN ('WAITING', 'RUNNING', 'COMPLETE', 'DIVERGED', 'PRUNED', 'FAILED')", name="ck_trials_state"
        ),
        sa.ForeignKeyConstraint(["environment"], ["environments.id"], name="fk_trials_environment", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_trials"),
        comment="One row a trial: one arm with one seed, shared by every study that needs it",
    )
    op.create_index("ix_trials_arm_hash", "trials", ["arm_hash"])
    op.create_table(
        "arm_trials",
        sa.Column("arm", sa.Integer(), nullable=False, comment="The arm of a study"),
        sa.Column("trial", sa.String(length=64), nullable=False, comment="A trial of this arm"),
        sa.Column(
            "added",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="True for a seed that was added while the study ran",
        ),
        sa.Column(
            "orphaned",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="True for a seed or data set that the study file no longer asks for",
        ),
        sa.ForeignKeyConstraint(["arm"], ["arms.id"], name="fk_arm_trials_arm", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["trial"], ["trials.id"], name="fk_arm_trials_trial", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("arm", "trial", name="pk_arm_trials"),
        comment="Which trials each arm of a study needs",
    )
    op.create_index("ix_arm_trials_trial", "arm_trials", ["trial"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False, comment="Number of the attempt in this database"),
        sa.Column("trial", sa.String(length=64), nullable=False, comment="The trial that was tried"),
        sa.Column("number", sa.Integer(), nullable=False, comment="1 for the first attempt of the trial"),
        sa.Column(
            "driver",
            sa.String(),
            nullable=False,
            comment="Token of the driver that recorded it, as in studies.lease_owner",
        ),
        sa.Column("host", sa.Text(), comment="Host of the worker"),
        sa.Column("device", sa.Text(), comment="Device of the worker"),
        sa.Column("environment", sa.String(length=64), comment="Software and hardware of the worker"),
        sa.Column("last_epoch", sa.Integer(), comment="Last epoch that this attempt reported"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, comment="When the worker began"),
        sa.Column("ended_at", sa.DateTime(timezone=True), comment="When the attempt ended; NULL while it goes on"),
        sa.Column(
            "ending",
            sa.String(length=16),
            comment="The trial's finished state, or lost, or late when another was first",
        ),
        sa.Column("reason", sa.Text(), comment="Why it ended so"),
        sa.ForeignKeyConstraint(
            ["environment"], ["environments.id"], name="fk_attempts_environment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["trial"], ["trials.id"], name="fk_attempts_trial", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        comment="One row a try at a trial; a further one follows a crash, never a result",
    )
    op.create_index("ix_attempts_trial", "attempts", ["trial"])
    op.create_table(
        "epochs",
        sa.Column("trial", sa.String(length=64), nullable=False, comment="The trial"),
        sa.Column("epoch", sa.Integer(), autoincrement=False, nullable=False, comment="Number of the epoch, from 1"),
        sa.Column("train_loss", sa.Double(), comment="Mean training loss; NULL when it was not a number"),
        sa.Column("train_error", sa.Double(), comment="Training error in per cent"),
        sa.Column("test_loss", sa.Double(), comment="Mean test loss at the epoch's end"),
        sa.Column("test_error", sa.Double(), comment="Test error in per cent at the epoch's end"),
        sa.Column("lr", sa.Double(), comment="Learning rate at the epoch's end"),
        sa.Column("seconds", sa.Double(), comment="Training time of the epoch in seconds"),
        sa.ForeignKeyConstraint(["trial"], ["trials.id"], name="fk_epochs_trial", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial", "epoch", name="pk_epochs"),
        comment="One row a trial and epoch",
    )
    op.create_table(
        "measurements",
        sa.Column("trial", sa.String(length=64), nullable=False, comment="The trial whose trained network was probed"),
        sa.Column("kind", sa.Text(), nullable=False, comment="The probe's name"),
        sa.Column("found", sa.JSON(), nullable=False, comment="What the probe found, as the probe defines it"),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False, comment="When it was measured"),
        sa.ForeignKeyConstraint(["trial"], ["trials.id"], name="fk_measurements_trial", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("trial", "kind", name="pk_measurements"),
        comment="What a probe found in one trained network; measuring again replaces it",
    )
    op.create_table(
        "verdicts",
        sa.Column("study", sa.Integer(), nullable=False, comment="The study that makes the claim"),
        sa.Column("claim", sa.Text(), nullable=False, comment="The claim's id"),
        sa.Column("position", sa.Integer(), nullable=False, comment="Place in the study's order, from 0"),
        sa.Column("says", sa.Text(), nullable=False, comment="The claim's sentence"),
        sa.Column("verdict", sa.String(length=16), nullable=False, comment="Supported, Refuted or Inconclusive"),
        sa.Column("estimate", sa.Double(), comment="Estimated difference"),
        sa.Column("low", sa.Double(), comment="Lower end of its interval"),
        sa.Column("high", sa.Double(), comment="Upper end of its interval"),
        sa.Column("margin", sa.Double(), comment="The difference that the claim asks for"),
        sa.Column("n", sa.Integer(), comment="Trials that the verdict rests on"),
        sa.Column("p", sa.Double(), comment="p value"),
        sa.Column("evidence", sa.JSON(), nullable=False, comment="Everything that the verdict was given with"),
        sa.Column("plan_hash", sa.String(), comment="The study's plan_hash when it was decided"),
        sa.Column(
            "decided_at", sa.DateTime(timezone=True), nullable=False, comment="When the verdict became what it is"
        ),
        sa.CheckConstraint("verdict IN ('Supported', 'Refuted', 'Inconclusive')", name="ck_verdicts_verdict"),
        sa.ForeignKeyConstraint(["study"], ["studies.id"], name="fk_verdicts_study", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("study", "claim", name="pk_verdicts"),
        comment="The newest verdict on each claim of a study",
    )
    op.create_table(
        "events",
        sa.Column(
            "id",
            sa.Integer(),
            nullable=False,
            comment="Number of the event; they are in the order in which they were recorded",
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="When it happened"),
        sa.Column("study", sa.Integer(), comment="The study during which it happened"),
        sa.Column("trial", sa.String(length=64), comment="The trial it is about; NULL when it is about a study"),
        sa.Column(
            "kind", sa.String(length=32), nullable=False, comment="What happened, for instance TrialEnded or Planned"
        ),
        sa.Column("applied", sa.Boolean(), nullable=False, comment="False when it came too late and changed nothing"),
        sa.Column("details", sa.JSON(), nullable=False, comment="The rest of what is known about it"),
        sa.ForeignKeyConstraint(["study"], ["studies.id"], name="fk_events_study", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        comment="What happened, in order, epochs left out; only ever added to",
    )
    op.create_index("ix_events_trial", "events", ["trial"])
    # ### end Alembic commands ###
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {query}")
