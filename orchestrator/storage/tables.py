"""The tables of the results database as they are today; how they came to be is in `migrations`.

Every table and column carries a comment. A column that points to another table has that table's noun as its name.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    false,
)

from orchestrator.storage.columns import CleanText, Json, Moment, Number

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


def _key(comment: str) -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=True, comment=comment)


def _points(name: str, target: str, comment: str, **options: Any) -> Column[Any]:
    return Column(name, ForeignKey(target, ondelete="CASCADE"), comment=comment, **{"nullable": False, **options})


studies = Table(
    "studies",
    metadata,
    _key("Number of the study in this database"),
    Column("name", String, nullable=False, unique=True, comment="The study's name, as its file gives it"),
    Column("question", CleanText, nullable=False, default="", comment="What the study asks, in the author's words"),
    Column("source", CleanText, nullable=False, default="", comment="The study file as the user wrote it"),
    Column("settings", Json, nullable=False, default=dict, comment="The study file with every default filled in"),
    Column("factors", Json, nullable=False, default=dict, comment="Factor -> its levels, in the file's order"),
    Column("baseline", Json, nullable=False, default=dict, comment="Factor -> the level that others are compared with"),
    Column("fail_above", Number, comment="Test error in per cent above which the tables say fail"),
    Column("plan_hash", String, comment="Hash of all that a verdict depends on: arms, seeds, claims, analysis"),
    Column("command", CleanText, comment="The command that planned the study last"),
    Column("git", CleanText, comment="Git revision of the folder that the command ran in"),
    Column("notes", Json, nullable=False, default=list, comment="Sentences about the plan that the report repeats"),
    Column("search", Json, comment="Record of an architecture search: what it proposed and what it showed"),
    Column("planned_at", Moment, comment="When the study was planned last; NULL until the first plan is recorded"),
    Column("lease_owner", String, comment="Token of the driver that runs the study now; NULL when none does"),
    Column("lease_host", CleanText, comment="Host of that driver"),
    Column("lease_pid", BigInteger, comment="Process number of that driver on its host"),
    Column("lease_process_started", Number, comment="When that process began, in seconds since 1970, by its host"),
    Column(
        "lease_process",
        String,
        comment="Boot, PID namespace and start in clock ticks of that process, where its system tells them",
    ),
    Column("lease_since", Moment, comment="When that driver began to run the study"),
    Column("lease_heartbeat", Moment, comment="When that driver last said that it is alive"),
    comment="One row a study: the newest version of its file, and who runs it now",
)

arms = Table(
    "arms",
    metadata,
    _key("Number of the arm in this database"),
    _points("study", "studies.id", "The study that the arm belongs to"),
    Column("hash", String(64), nullable=False, comment="Identity: hash of the settings that can change a result"),
    Column("name", CleanText, nullable=False, comment="The arm's name in tables, unique within its study"),
    Column("position", Integer, nullable=False, comment="Place in the study's order, from 0"),
    Column("levels", Json, nullable=False, comment="Factor -> level, in the factors' order"),
    Column("settings", Json, nullable=False, comment="Complete data, network and training settings"),
    Column("params", BigInteger, comment="Trainable parameters of the network"),
    Column("flops", BigInteger, comment="Multiply-adds of one forward pass of one image"),
    Column("graph", String, comment="Hash of the built network; equal for identical architectures"),
    Column("description", Json, comment="The network in words, stage by stage, and its unit as a drawing shows it"),
    Column(
        "added",
        Boolean,
        nullable=False,
        default=False,
        server_default=false(),
        comment="True for an arm that a search added while the study ran",
    ),
    Column(
        "orphaned",
        Boolean,
        nullable=False,
        default=False,
        server_default=false(),
        comment="True for an arm of an earlier version of the study file",
    ),
    UniqueConstraint("study", "hash"),
    UniqueConstraint("study", "name"),
    Index(None, "hash"),
    comment="One row an arm of a study: one full assignment of levels",
)

arm_levels = Table(
    "arm_levels",
    metadata,
    _points("arm", "arms.id", "The arm", primary_key=True),
    Column("factor", CleanText, primary_key=True, comment="The factor's name"),
    Column("level", CleanText, nullable=False, comment="The level's name, as text"),
    comment="One row a factor of an arm, for joins; arms.levels holds the same with its types",
)

environments = Table(
    "environments",
    metadata,
    Column("id", String(64), primary_key=True, comment="Hash of the host and the facts"),
    Column("host", CleanText, nullable=False, comment="The host's name"),
    Column("facts", Json, nullable=False, comment="Versions of the software, and the hardware"),
    Column("seen_at", Moment, nullable=False, comment="When it first trained a trial"),
    comment="One row a software and hardware that trained trials",
)

_STATES = "'WAITING', 'RUNNING', 'COMPLETE', 'DIVERGED', 'PRUNED', 'FAILED'"

trials = Table(
    "trials",
    metadata,
    Column("id", String(64), primary_key=True, comment="Hash of arm, data and seed: all that can change the result"),
    Column("arm_hash", String(64), nullable=False, comment="Hash of the arm's settings, as in arms.hash"),
    Column("data_fingerprint", String, nullable=False, comment="Hash of the data set's content"),
    Column("seed", BigInteger, nullable=False, comment="The seed of every source of randomness"),
    Column("state", String(16), nullable=False, comment="Where the trial stands; a finished state never changes"),
    Column("reason", CleanText, comment="Why it diverged, was pruned or failed"),
    Column("cause", String(16), comment="What made it fail, in one word, for instance oom or code; NULL otherwise"),
    Column(
        "epochs", Integer, nullable=False, default=0, server_default="0", comment="Number of the last epoch recorded"
    ),
    Column("seconds", Number, comment="Training time in seconds"),
    Column("images_per_second", Number, comment="Training images per second"),
    Column("diverged_at", Integer, comment="Epoch in which the training diverged"),
    Column("loss_before_divergence", Number, comment="The last training loss before it diverged"),
    Column("device", CleanText, comment="Device of the last attempt"),
    Column("host", CleanText, comment="Host of the last attempt"),
    _points("environment", "environments.id", "Software and hardware of the last attempt", nullable=True),
    Column("attempts", Integer, nullable=False, default=0, server_default="0", comment="How often it was tried"),
    Column("telemetry", Json, nullable=False, default=dict, comment="Further measured facts of the training"),
    Column("started_at", Moment, comment="When the first attempt began"),
    Column("finished_at", Moment, comment="When it reached its finished state"),
    CheckConstraint(f"state IN ({_STATES})", name="state"),
    Index(None, "arm_hash"),
    comment="One row a trial: one arm with one seed, shared by every study that needs it",
)

arm_trials = Table(
    "arm_trials",
    metadata,
    _points("arm", "arms.id", "The arm of a study", primary_key=True),
    _points("trial", "trials.id", "A trial of this arm", primary_key=True),
    Column(
        "added",
        Boolean,
        nullable=False,
        default=False,
        server_default=false(),
        comment="True for a seed that was added while the study ran",
    ),
    Column(
        "orphaned",
        Boolean,
        nullable=False,
        default=False,
        server_default=false(),
        comment="True for a seed or data set that the study file no longer asks for",
    ),
    Index(None, "trial"),
    comment="Which trials each arm of a study needs",
)

attempts = Table(
    "attempts",
    metadata,
    _key("Number of the attempt in this database"),
    _points("trial", "trials.id", "The trial that was tried"),
    Column("number", Integer, nullable=False, comment="1 for the first attempt of the trial"),
    Column("driver", String, nullable=False, comment="Token of the driver that recorded it, as in studies.lease_owner"),
    Column("host", CleanText, comment="Host of the worker"),
    Column("device", CleanText, comment="Device of the worker"),
    _points("environment", "environments.id", "Software and hardware of the worker", nullable=True),
    Column("last_epoch", Integer, comment="Last epoch that this attempt reported"),
    Column("started_at", Moment, nullable=False, comment="When the worker began"),
    Column("ended_at", Moment, comment="When the attempt ended; NULL while it goes on"),
    Column("ending", String(16), comment="The trial's finished state, or lost, or late when another was first"),
    Column("reason", CleanText, comment="Why it ended so"),
    Column("cause", String(16), comment="What ended it without a result, in one word, for instance oom or node_lost"),
    Column("traceback", CleanText, comment="The Python traceback of the error that ended it"),
    Column("log", CleanText, comment="The last lines that it printed, where it ended without a result"),
    Index(None, "trial"),
    comment="One row a try at a trial; a further one follows a crash, never a result",
)

epochs = Table(
    "epochs",
    metadata,
    _points("trial", "trials.id", "The trial", primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False, comment="Number of the epoch, from 1"),
    Column("train_loss", Number, comment="Mean training loss; NULL when it was not a number"),
    Column("train_error", Number, comment="Training error in per cent"),
    Column("test_loss", Number, comment="Mean test loss at the epoch's end"),
    Column("test_error", Number, comment="Test error in per cent at the epoch's end"),
    Column("lr", Number, comment="Learning rate at the epoch's end"),
    Column("seconds", Number, comment="Training time of the epoch in seconds"),
    Column("val_loss", Number, comment="Mean loss of the images held out of the training set"),
    Column("val_error", Number, comment="Error in per cent of the images held out of the training set"),
    comment="One row a trial and epoch",
)

proposals = Table(
    "proposals",
    metadata,
    _points("study", "studies.id", "The study that searches", primary_key=True),
    Column("optimization", String(64), primary_key=True, comment="Hash of the space, the sampler and its role"),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="Number of the proposal, from 0"),
    Column("arm", String(64), comment="Hash of the proposed arm, as in arms.hash; NULL when none could be built"),
    Column("origin", String(16), nullable=False, comment="Who proposed it: baseline, warm, sampler, grid or random"),
    Column("status", String(16), nullable=False, comment="trained, answered from an earlier arm, pending, or rejected"),
    Column("reason", CleanText, comment="Why it was rejected"),
    Column("params", Json, nullable=False, comment="What the sampler chose, by parameter"),
    Column("attributes", Json, nullable=False, comment="What the sampler keeps about the proposal"),
    comment="What the sampler of a search proposed, in order, from which an interrupted search goes on",
)

measurements = Table(
    "measurements",
    metadata,
    _points("trial", "trials.id", "The trial whose trained network was probed", primary_key=True),
    Column("kind", CleanText, primary_key=True, comment="The probe's name"),
    Column("key", String(16), primary_key=True, comment="Hash of the probe's settings"),
    Column("settings", Json, nullable=False, default=dict, comment="The probe's settings"),
    Column(
        "found", Json, nullable=False, comment="What the probe found, as the probe defines it; many rows as columns"
    ),
    Column("seconds", Number, comment="How long the measurement took"),
    Column("measured_at", Moment, nullable=False, comment="When it was measured"),
    comment="What a probe found in one trained network; measuring again replaces it",
)

weights = Table(
    "weights",
    metadata,
    _points("trial", "trials.id", "The trial that trained them", primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False, comment="Epochs behind the weights"),
    Column("digest", String(64), nullable=False, comment="SHA-256 of the file"),
    Column("bytes", BigInteger, nullable=False, comment="Size of the file"),
    Column("path", CleanText, nullable=False, comment="Where the file is"),
    Column("kept_at", Moment, nullable=False, comment="When it was written"),
    comment="The files of trained weights that were kept",
)

verdicts = Table(
    "verdicts",
    metadata,
    _points("study", "studies.id", "The study that makes the claim", primary_key=True),
    Column("claim", CleanText, primary_key=True, comment="The claim's id"),
    Column("position", Integer, nullable=False, comment="Place in the study's order, from 0"),
    Column("says", CleanText, nullable=False, comment="The claim's sentence"),
    Column("verdict", String(16), nullable=False, comment="Supported, Refuted or Inconclusive"),
    Column("estimate", Number, comment="Estimated difference"),
    Column("low", Number, comment="Lower end of its interval"),
    Column("high", Number, comment="Upper end of its interval"),
    Column("margin", Number, comment="The difference that the claim asks for"),
    Column("n", Integer, comment="Trials that the verdict rests on"),
    Column("p", Number, comment="p value"),
    Column("evidence", Json, nullable=False, default=dict, comment="Everything that the verdict was given with"),
    Column("plan_hash", String, comment="The study's plan_hash when it was decided"),
    Column("decided_at", Moment, nullable=False, comment="When the verdict became what it is"),
    CheckConstraint("verdict IN ('Supported', 'Refuted', 'Inconclusive')", name="verdict"),
    comment="The newest verdict on each claim of a study",
)

events = Table(
    "events",
    metadata,
    _key("Number of the event; they are in the order in which they were recorded"),
    Column("at", Moment, nullable=False, comment="When it happened"),
    _points("study", "studies.id", "The study during which it happened", nullable=True),
    Column("trial", String(64), comment="The trial it is about; NULL when it is about a study"),
    Column("kind", String(32), nullable=False, comment="What happened, for instance TrialEnded or Planned"),
    Column("applied", Boolean, nullable=False, comment="False when it came too late and changed nothing"),
    Column("details", Json, nullable=False, default=dict, comment="The rest of what is known about it"),
    Index(None, "trial"),
    Index(None, "study", "kind"),
    comment="What happened, in order, epochs left out; only ever added to",
)
