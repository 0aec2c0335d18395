"""The results database, as the rest of the program sees it: plans and results in, records out."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.engine import URL

from orchestrator.records.proposal import Proposal
from orchestrator.records.study_plan import PlannedArm, PlannedTrial, StudyPlan
from orchestrator.storage import (
    costs,
    curation,
    measurements,
    merge,
    outcomes,
    plans,
    schema,
    searches,
    studies,
)
from orchestrator.storage.address import database_url
from orchestrator.storage.database import Database
from orchestrator.storage.errors import StorageError
from orchestrator.storage.journal import record
from orchestrator.storage.lease import Lease, recover
from orchestrator.storage.own_schema import make_own_schema
from orchestrator.storage.reservations import Reservations
from orchestrator.storage.spool import read_spool
from orchestrator.storage.tables import studies as study_rows
from orchestrator.storage.verdicts import read_verdicts, write_verdicts
from orchestrator.storage.weights import KeptWeights, read_weights
from reports.results import Study
from reports.trials import State, Trial

Result = TypeVar("Result")


class Store:
    """An open results database.

    Every method is one transaction, raises StorageError when the database refuses, and may be called from any thread.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.where = database.where

    @classmethod
    def open(cls, url: str | Path | URL, read_only: bool = False) -> Self:
        """Open the database of a URL or a file's path, bringing an older one up to date.

        A new file is created, unless `read_only`. StorageError when it cannot be opened, belongs to another program
        or was written by a newer version of this one.
        """
        address = database_url(url)
        schema.bring_up_to_date(address, read_only=read_only)
        return cls(Database(address, read_only=read_only))

    @classmethod
    def open_existing(cls, url: str | Path | URL) -> Self:
        """Open a database for writing as `open` does; StorageError, and no new file, where there is none yet."""
        cls.open(url, read_only=True).close()
        return cls.open(url)

    @staticmethod
    def exists(url: str | Path | URL) -> bool:
        """Whether there is a results DB to open for reading: a file or a server's database that has its tables.

        StorageError for one that could not be made there either.
        """
        return schema.found_version(database_url(url)) is not None

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def own_schema(self, name: str) -> str | None:
        """Return a URL for another program's tables: a schema of that name, made if need be; None for a file."""
        return make_own_schema(self.database, name)

    def lease(self, study: str, *, take_over: bool = False) -> Lease:
        """Return the right to run a study, to be held in a `with` block; entering it raises StudyBusy.

        With `take_over` it is taken from whoever has it.
        """
        return Lease(self.database, study, take_over=take_over)

    def reservations(self, study: str) -> Reservations:
        """Return the reservations of the driver that holds a study's lease: the trials that it trains."""
        return Reservations(self.database, study)

    def delete_study(self, study: str, *, apply: bool) -> curation.Removal:
        """Delete a study and the trials that no other one needs; without `apply` only say what that would remove."""
        return self._changed(lambda connection: curation.delete_study(connection, study), apply)

    def prune(self, study: str | None, *, apply: bool) -> curation.Removal:
        """Remove what no study file asks for any more; without `apply` only say what that would remove."""
        return self._changed(lambda connection: curation.prune(connection, study), apply)

    def rename_study(self, study: str, name: str, *, apply: bool) -> None:
        """Give a study another name; without `apply` only check that it could have it."""
        self._changed(lambda connection: curation.rename_study(connection, study, name), apply)

    def add_note(self, study: str, text: str, *, apply: bool) -> None:
        """Keep a note on a study, which its report shows; without `apply` only check that it could be kept."""
        self._changed(lambda connection: curation.add_note(connection, study, text), apply)

    def merge(self, other: "Store", study: str, *, apply: bool) -> merge.Merged:
        """Copy a study from another database into this one; without `apply` only say what that would do."""
        with other.database.reading() as source:
            return self._changed(lambda target: merge.merge_study(source, target, study), apply)

    def _changed(self, change: Callable[[Connection], Result], apply: bool) -> Result:
        """Make a change in one transaction and return what it did; undo it unless it is to be applied."""
        with self.database.writing() as connection:
            made = change(connection)
            if not apply:
                connection.rollback()
        return made

    def recover(self, study: str) -> tuple[str, ...]:
        """Let the trials wait again that a dead driver left RUNNING, and return them.

        Call it while holding the study's lease, before or after its training.
        """
        with self.database.writing() as connection:
            return recover(connection, study)

    def record_spool(self, study: str, path: Path) -> int:
        """Record the events that an earlier run kept in a file, and remove it; return how many they were.

        Call it while holding the study's lease, before `recover`. Events of trials that this database does not hold
        are left out.
        """
        spool = read_spool(path)
        if spool is None:
            return 0
        with self.database.writing() as connection:
            number = connection.execute(select(study_rows.c.id).where(study_rows.c.name == study)).scalar()
            known = plans.states_of(connection, {event.trial for event in spool.events if event.trial})
            kept = [event for event in spool.events if event.trial is None or event.trial in known]
            for event in kept:
                record(connection, event, spool.driver, number)
        with suppress(OSError):  # recording the same events again changes nothing
            path.unlink(missing_ok=True)
        return len(kept)

    def record_plan(self, plan: StudyPlan) -> plans.PlanOutcome:
        """Record a study, its arms and its trials, all or nothing. Arms that the plan leaves out become orphans."""
        with self.database.writing() as connection:
            return plans.write_plan(connection, plan)

    def preview_plan(self, plan: StudyPlan) -> plans.PlanOutcome:
        """Return what `record_plan` would, without writing."""
        with self.database.reading() as connection:
            return plans.outcome_of(connection, plan)

    def extend_plan(self, study: str, arms: Sequence[PlannedArm], trials: Sequence[PlannedTrial]) -> None:
        """Add arms and trials to a planned study, as adaptive seeds and searches do while it runs.

        They stay until the study is planned with another `plan_hash` that leaves them out.
        """
        with self.database.writing() as connection:
            plans.write_extension(connection, study, arms, trials)

    def propose(
        self,
        study: str,
        optimization: str,
        made: Sequence[Proposal],
        arms: Sequence[PlannedArm],
        trials: Sequence[PlannedTrial],
    ) -> None:
        """Record what a search proposed, with the arm and trials that follow from it, all or nothing."""
        with self.database.writing() as connection:
            plans.write_extension(connection, study, arms, trials)
            searches.write_proposals(connection, study, optimization, made)

    def proposals(self, study: str, optimization: str) -> tuple[Proposal, ...]:
        """Return what one optimization run of a study's search proposed so far, in order."""
        with self.database.reading() as connection:
            return searches.read_proposals(connection, study, optimization)

    def save_search(self, study: str, record: Mapping[str, Any]) -> None:
        """Keep the record of a study's search in the place of the one before."""
        with self.database.writing() as connection:
            searches.write_search(connection, study, record)

    def levels_of_arms(self, factors: Sequence[str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return hash and levels of every arm, of any study, with exactly these factors and a complete trial."""
        with self.database.reading() as connection:
            return searches.read_levels(connection, factors)

    def states(self, trial_ids: Iterable[str]) -> dict[str, State]:
        """Return the state of each of these trials that the database knows."""
        with self.database.reading() as connection:
            return plans.states_of(connection, trial_ids)

    def load_study(self, name: str, *, curves: bool = True) -> Study:
        """Return a study with every result so far; StorageError naming the nearest when there is none of that name.

        Without `curves`, each trial's curve is its last epoch alone.
        """
        with self.database.reading() as connection:
            return studies.read_study(connection, name, curves=curves)

    def studies(self) -> list[studies.StudySummary]:
        """Return every study at a glance, the one that changed last first."""
        with self.database.reading() as connection:
            return studies.read_summaries(connection)

    def save_verdicts(self, study: str, verdicts: Iterable[Mapping[str, Any]]) -> None:
        """Make these the verdicts of a study; each has at least `claim`, `says` and `verdict`, all of it is kept."""
        with self.database.writing() as connection:
            write_verdicts(connection, study, verdicts)

    def load_verdicts(self, study: str) -> tuple[dict[str, Any], ...]:
        """Return the verdicts of a study as they were saved, each with `plan_hash` and `decided_at`."""
        with self.database.reading() as connection:
            return read_verdicts(connection, study)

    def measured(self, trial_ids: Iterable[str], *, with_failed: bool = False) -> dict[str, set[str]]:
        """Return ``probe/key`` of every measurement of these trials, also of those that failed where asked."""
        with self.database.reading() as connection:
            return measurements.measured_keys(connection, trial_ids, with_failed=with_failed)

    def weights(self, trial_ids: Iterable[str]) -> dict[str, list[KeptWeights]]:
        """Return the files of weights that each of these trials left, the earliest epoch first."""
        with self.database.reading() as connection:
            return read_weights(connection, trial_ids)

    def outcomes(self, arms: Mapping[str, str]) -> tuple[Trial, ...]:
        """Return every outcome on record of these arms, of any study, under the name that `arms` gives to each hash."""
        with self.database.reading() as connection:
            return outcomes.read_outcomes(connection, arms)

    def arm_costs(self) -> tuple[costs.ArmCost, ...]:
        """Return the mean seconds of an epoch of every arm that was ever trained, by the kind of device."""
        with self.database.reading() as connection:
            return costs.read_costs(connection)

    def driver_of(self, study: str) -> tuple[int, str]:
        """Return a study's number and the token of the driver that runs it, a new token when none does."""
        with self.database.reading() as connection:
            row = connection.execute(select(study_rows).where(study_rows.c.name == study)).one_or_none()
        if row is None:
            raise StorageError(f'the study "{study}" has no plan yet: record its plan before its events')
        return row.id, row.lease_owner or uuid.uuid4().hex
