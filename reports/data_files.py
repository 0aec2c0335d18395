"""The trials and the curves as files for other programs: CSV, and Parquet where pyarrow is installed."""

import io
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from reports.columns import TRIAL_METRICS, factor_columns, readings_of
from reports.findings import Findings
from reports.tables import Cell, csv_text
from reports.trials import Arm, State

if TYPE_CHECKING:
    import pandas as pd

CURVE_COLUMNS = ("train_loss", "train_error", "test_loss", "test_error", "lr", "seconds")
TRIAL_COLUMNS = (
    "id", "arm", "seed", "state", "reason", "test_error", "train_error", "test_loss", "train_loss", "seconds",
    "images_per_second", "device", "host", "attempts", "diverged_at", "loss_before_divergence",
    "started_at", "finished_at",
)  # fmt: skip
MORE_METRICS = tuple(name for name in TRIAL_METRICS if name not in TRIAL_COLUMNS)


def has_parquet() -> bool:
    """Whether Parquet can be written: a pyarrow too new for the installed NumPy cannot even be imported."""
    try:
        import_module("pyarrow")
    except ImportError:
        return False
    return True


def has_data(findings: Findings) -> bool:
    """Whether there are files of trials: not beside a replay that trains and confirms nothing."""
    return bool(findings.study.trials) or not findings.whole.is_replay


def data_files(findings: Findings) -> dict[str, str | bytes]:
    """Return the contents of the files by their path beside the page."""
    if not has_data(findings):
        return {}
    files: dict[str, str | bytes] = {
        "data/trials.csv": _trials_csv(findings),
        "data/curves.csv": "".join(_curves_csv(findings)),
    }
    if has_parquet():
        buffer = io.BytesIO()
        _curves(findings).to_parquet(buffer, index=False, compression="zstd")
        files["data/curves.parquet"] = buffer.getvalue()
    return files


def _trials_csv(findings: Findings) -> str:
    factors = list(findings.study.factors)
    arms = {arm.name: arm for arm in findings.study.arms}
    header = ["study", *TRIAL_COLUMNS, "epochs", "params", "flops", *MORE_METRICS, *factor_columns(factors)]

    def rows() -> Iterator[list[Cell]]:
        for trial in findings.study.trials:
            arm = arms.get(trial.arm)
            levels = [arm.levels.get(factor) if arm else None for factor in factors]
            is_open = trial.state is State.WAITING  # an interrupted training has epochs, but no result
            hidden = TRIAL_METRICS if is_open else ()
            values = [None if name in hidden else _text(getattr(trial, name)) for name in TRIAL_COLUMNS]
            epochs = trial.curve[-1].epoch if trial.curve else None
            size = [arm.params if arm else None, arm.flops if arm else None]
            readings = readings_of(trial, arm or Arm(trial.arm, {}, {}))
            more = [None if name in hidden else readings[name] for name in MORE_METRICS]
            yield [findings.study.name, *values, epochs, *size, *more, *levels]

    return csv_text(header, rows())


def _curves_csv(findings: Findings) -> Iterator[str]:
    """Yield the lines of `_curves`, numbers with six digits; pandas takes seven times as long for a million of them."""
    yield ",".join(("trial", "seed", "epoch", *CURVE_COLUMNS)) + "\n"
    for trial in findings.study.trials:
        start = f"{trial.id},{trial.seed},"
        for row in trial.curve:
            yield f"{start}{row.epoch},{','.join([_six(getattr(row, name)) for name in CURVE_COLUMNS])}\n"


def _six(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.6g}"


def _curves(findings: Findings) -> "pd.DataFrame":
    """One row a trial and epoch; the arm of a trial stands in trials.csv, under its id."""
    import pandas as pd  # not above: it takes a third of a second, and most of a report goes without it

    rows = [
        (trial.id, trial.seed, row.epoch, *(getattr(row, name) for name in CURVE_COLUMNS))
        for trial in findings.study.trials
        for row in trial.curve
    ]
    frame = pd.DataFrame(rows, columns=["trial", "seed", "epoch", *CURVE_COLUMNS])
    return frame.astype(dict.fromkeys(CURVE_COLUMNS, "float64"))


def _text(value: Any) -> Cell:
    return value if value is None or isinstance(value, int | float) else str(value)
