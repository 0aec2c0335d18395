"""What one run is about: the study as read and planned, how it is run, and where its files go."""

from dataclasses import dataclass
from pathlib import Path

from orchestrator.records.study_plan import StudyPlan
from orchestrator.running.notification import Notifier
from orchestrator.scheduling.replaying import Replay
from orchestrator.study_file.config import StudyConfig


@dataclass(frozen=True)
class RunOptions:
    """How a study is run; nothing here can change a result.

    `db` is the results DB (None: as the study file or the environment says), `address` a Ray cluster (None: start one
    here), `out` the folder of the report and checkpoints (None: ``out/<study>``), `executor` one of `EXECUTORS` in
    `orchestrator.running.executors`. `take_over` takes the study from a process that seems to run it. `notify` is a
    URL or a command that is told of failed trials, of verdicts, and of the end.
    """

    db: str | None = None
    address: str | None = None
    out: Path | None = None
    report: bool = True
    executor: str = "ray"
    command: str | None = None
    take_over: bool = False
    notify: str | None = None


@dataclass(frozen=True)
class Job:
    """What one run is about: the study as read and planned, how it is run, and where its files go."""

    config: StudyConfig
    plan: StudyPlan
    options: RunOptions
    out: Path
    replay: Replay | None
    notifier: Notifier | None = None

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints of unfinished trials."""
        return self.out / "checkpoints"

    @property
    def spool(self) -> Path:
        """The file for events that the database cannot take."""
        return self.out / "unrecorded.jsonl"
