"""Write a study as offline runs of Weights & Biases: one a trial, to be sent later or never."""

import os
from importlib import import_module
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.results.trackers.runs import Run, cannot_write, new_folder, runs_on_record


def export_wandb(study: str, db: str | None = None, out: Path | None = None) -> tuple[Path, int]:
    """Write the trials of a study that have a curve as offline runs; return their folder and how many they are.

    The study is the project and an arm the group; errors are in per cent, steps are epochs, and `seconds` is the time
    trained. Nothing is sent anywhere. UserError when the folder holds something already, or when the package wandb is
    not installed.
    """
    runs = runs_on_record(study, db)
    folder = new_folder(study, out, "wandb")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    try:
        import_module("wandb")  # before a folder is made for nothing
    except ModuleNotFoundError:
        raise UserError("--to wandb needs the package wandb: pip install 'ablation-orchestrator[wandb]'") from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    for run in runs:
        _write(study, folder, run)
    return folder, len(runs)


def _write(study: str, folder: Path, run: Run) -> None:
    import wandb

    quiet = wandb.Settings(
        silent=True,
        console="off",
        disable_git=True,
        disable_code=True,
        x_disable_meta=True,
        x_disable_stats=True,
    )
    # A run that the caller has open stays as it is.
    with wandb.init(
        mode="offline",
        reinit="create_new",
        dir=folder,
        project=study,
        group=run.arm[:128],
        name=run.name[:128],
        id=run.id[:64],
        config=dict(run.settings),
        settings=quiet,
    ) as made:
        for point in run.points:
            seen = {**point.values, "seconds": point.ended - run.began, "_timestamp": point.ended}
            made.log(seen, step=point.epoch)
        made.summary.update(dict(run.results))
