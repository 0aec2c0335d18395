"""The commands that manage stored studies; each says what it would do, and does it with `--yes`."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.terminal.options import Database, Yes, choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.storage import Store
    from orchestrator.storage.curation import Removal

stored_study_commands = typer.Typer(rich_markup_mode=None)

StudyArgument = Annotated[str, typer.Argument(metavar="STUDY", help="The study's name")]
NOT_YET = "nothing is changed yet: add --yes to do it"


class ExportKind(StrEnum):
    """What a study, or one of its trained networks, is written as."""

    db = "db"
    state_dict = "state_dict"
    torchscript = "torchscript"
    onnx = "onnx"
    tensorboard = "tensorboard"
    mlflow = "mlflow"
    wandb = "wandb"


# Where curves are tracked, and how to see there what was written.
TRACKERS = {
    ExportKind.tensorboard: "show them: tensorboard --logdir {}",
    ExportKind.mlflow: "show them: mlflow ui --backend-store-uri sqlite:///{}",
    ExportKind.wandb: "send them: wandb sync {}/wandb/offline-run-*",
}


@stored_study_commands.command()
def delete(study: StudyArgument, db: Database = None, yes: Yes = False) -> None:
    """Delete a study with its results; trials that other studies need stay, and so does its folder of reports.

    Example: orchestrate delete degradation --yes
    """
    with _opened(db) as store:
        _remove(store.delete_study(study, apply=yes), f"delete {study}", yes)


@stored_study_commands.command()
def prune(
    study: Annotated[str | None, typer.Argument(metavar="STUDY", help="Default: all that do not run")] = None,
    db: Database = None,
    yes: Yes = False,
) -> None:
    """Remove results that no study file asks for any more: arms of earlier versions, dropped seeds, and their weights.

    Example: orchestrate prune degradation --yes
    """
    with _opened(db) as store:
        removal, subject = store.prune(study, apply=yes), f"prune {study or 'all studies'}"
        if removal.is_empty:
            print(f"{subject}: there is nothing to remove")
        else:
            _remove(removal, subject, yes)


@stored_study_commands.command()
def rename(
    study: StudyArgument,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name")],
    db: Database = None,
    yes: Yes = False,
) -> None:
    """Give a study another name. Write the new name into its file too, or the next `run` plans the old one again.

    Example: orchestrate rename degradation degradation-digits --yes
    """
    with _opened(db) as store:
        store.rename_study(study, name, apply=yes)
    _say([f"rename {study}: it is called {name}; write `study: {name}` into its file"], yes)


@stored_study_commands.command()
def note(
    study: StudyArgument,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What should be known about the study")],
    db: Database = None,
    yes: Yes = False,
) -> None:
    """Add a note to a study, which its report shows with the date.

    Example: orchestrate note degradation "The cooling failed during seed 2." --yes
    """
    with _opened(db) as store:
        store.add_note(study, text, apply=yes)
    _say([f"note on {study}: {text}"], yes)


@stored_study_commands.command()
def export(
    study: StudyArgument,
    to: Annotated[
        ExportKind,
        choice(
            ExportKind,
            "db, a results DB of this study alone; tensorboard, mlflow or wandb (offline), its curves; "
            "or a trained network as any other",
            "--to",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="The file, or the folder of tensorboard and wandb; default: STUDY.db, or in out/STUDY",
        ),
    ] = None,
    arm: Annotated[str | None, typer.Option("--arm", help="Of a network: its arm, as the tables name it")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of a network: its seed")] = None,
    db: Database = None,
) -> None:
    """Write a study's results, its curves, or a trained network from its kept weights, for another machine or tool.

    Example: orchestrate export degradation --to onnx --arm "depth=20 variant=plain" --seed 0
    """
    out = None if out is None else expanded(out)
    if to in TRACKERS:
        _export_curves(to, study, arm, seed, db, out)
        return
    if to is not ExportKind.db:
        from orchestrator.results.exporting import export_network

        print(export_network(study, arm, seed, to.value, db, out))
        return
    from orchestrator.results.location import database
    from orchestrator.storage import Store
    from reports.wording import counted

    target = out or Path(f"{study}.db")
    if target.exists():
        raise UserError(f"--out {target}: the file exists; name another, or merge with `orchestrate import`")
    with Store.open(database(db), read_only=True) as source:
        source.load_study(study)  # before a file is made for nothing
        with Store.open(target) as store:
            merged = store.merge(source, study, apply=True)
    print(f"{target}: {study} with {counted(merged.arms, 'arm')} and {counted(merged.trials, 'trial')}")


def _export_curves(
    to: ExportKind, study: str, arm: str | None, seed: int | None, db: str | None, out: Path | None
) -> None:
    if arm is not None or seed is not None:
        raise UserError(f"--arm and --seed choose a trained network; {to.value} takes all trials of the study")
    from reports.wording import counted

    path, trials = _tracker(to)(study, db, out)
    print(f"{path}: {study} with the curves of {counted(trials, 'trial')}; {TRACKERS[to].format(path)}")


def _tracker(to: ExportKind) -> "Callable[[str, str | None, Path | None], tuple[Path, int]]":
    """Return what writes a study's curves in this way; the others' packages are not imported."""
    if to is ExportKind.tensorboard:
        from orchestrator.results.trackers.tensorboard import export_tensorboard

        return export_tensorboard
    if to is ExportKind.mlflow:
        from orchestrator.results.trackers.mlflow import export_mlflow

        return export_mlflow
    from orchestrator.results.trackers.wandb import export_wandb

    return export_wandb


@stored_study_commands.command("import")
def import_(
    source: Annotated[str, typer.Argument(metavar="DB", help="The results DB to read: a file, or an SQLAlchemy URL")],
    study: Annotated[list[str] | None, typer.Argument(metavar="[STUDY]...", help="Default: all of its studies")] = None,
    db: Database = None,
    yes: Yes = False,
) -> None:
    """Merge the studies of another results DB into this one; what is there already is not doubled or changed.

    Example: orchestrate import colleague.db --yes
    """
    import tempfile

    from orchestrator.results.location import database
    from orchestrator.storage import Store
    from orchestrator.terminal.changes import merged_lines

    url = database(db)
    with tempfile.TemporaryDirectory() as folder, Store.open(source, read_only=True) as other:
        names = study or [each.name for each in other.studies()]
        for name in names:
            other.load_study(name)  # a name that is not there is told before anything is written
        # A results DB that is not there yet is not made for nothing.
        target = url if yes or Store.exists(url) else f"{folder}/preview.db"
        with Store.open(target) as store:
            merged = [store.merge(other, name, apply=yes) for name in names]
    _say(merged_lines(merged), yes)


def _opened(db: str | None) -> "Store":
    """Open the results DB to change it; UserError where there is none yet."""
    from orchestrator.results.location import database
    from orchestrator.storage import Store

    return Store.open_existing(database(db))


def _say(lines: list[str], done: bool) -> None:
    for line in [*lines, "done" if done else NOT_YET]:
        print(line)


def _remove(removal: "Removal", what: str, yes: bool) -> None:
    """Remove the files of weights (one on another machine, or gone, is let be), and say what is removed."""
    from orchestrator.terminal.changes import removal_lines

    for file in removal.files if yes else ():
        try:
            Path(file).unlink(missing_ok=True)
        except OSError as error:
            print(f"{file} stays: {error.strerror}")
    _say([*removal_lines(removal, what)], yes)
