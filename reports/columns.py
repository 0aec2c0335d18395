"""The columns of a study's data frames and CSV files, and the name of a factor that bears the name of one of them."""

from collections.abc import Collection, Iterable

from reports.metrics import METRICS, Metric
from reports.trials import Arm, Trial

CURVE_METRICS = tuple(name for name, metric in METRICS.items() if metric.is_curve)
TRIAL_METRICS = tuple(name for name, metric in METRICS.items() if not metric.is_exact)

IDENTITY = ("study", "id", "trial", "arm", "seed", "epoch", "orphaned")
OUTCOME = ("state", "reason", "cause", "epochs")
PROCESS = (
    "device",
    "host",
    "attempts",
    "started_at",
    "finished_at",
    "diverged_at",
    "loss_before_divergence",
    "environment",
)
SUMMARY = (
    "trials", "outcomes", "n", "n_ok", "n_fail", "n_missing", "fail_rate", "fail_low", "fail_high",
    "mean", "sd", "low", "high", "median", "minimum", "maximum",
)  # fmt: skip
RESERVED = frozenset((*IDENTITY, *OUTCOME, *PROCESS, *SUMMARY, "lr", *METRICS))
"""Every column that any of the tables has, beside the factors."""


def readings_of(trial: Trial, arm: Arm) -> dict[str, float | None]:
    """Return what each metric reads in one trial, as it was measured: also of one that diverged."""
    return {name: _read(METRICS[name], trial, arm) for name in TRIAL_METRICS}


def _read(metric: Metric, trial: Trial, arm: Arm) -> float | None:
    return metric.read(trial, arm, {})


def factor_columns(factors: Iterable[str], others: Collection[str] = ()) -> list[str]:
    """Return a column's name for each factor, the same in every table of a study.

    It is the factor's own name, or ``factor.<name>`` where a table has a column of that name; `others` are columns of
    one table alone.
    """
    names: list[str] = []
    for factor in factors:
        name = factor
        while name in RESERVED or name in others or name in names:
            name = f"factor.{name}"
        names.append(name)
    return names
