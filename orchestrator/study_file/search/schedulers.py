"""Schedulers: which arms are stopped before their last epoch, decided in the driver and so for every executor."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from search_spaces.annotations import Positive, Range

Count = Annotated[int, Range(low=0)]


def none() -> Any:
    """Every arm trains to its end."""
    from optuna.pruners import NopPruner

    return NopPruner()


def median(*, startup_arms: Count = 5, grace_epochs: Count = 1) -> Any:
    """Stop an arm whose best error so far is worse than the median of the others at the same epoch.

    startup_arms: arms that train to their end before any is stopped.
    grace_epochs: epochs that every arm trains.
    """
    from orchestrator.study_file.search.running_median import RunningMedian

    return RunningMedian(startup_arms, grace_epochs)


def asha(*, first_rung: Positive = 1, factor: Annotated[int, Range(low=2)] = 3) -> Any:
    """Asynchronous successive halving (Li et al. 2020): rungs at first_rung, times `factor`, each keeps 1/factor.

    first_rung: epochs before the first decision.
    factor: how many times longer each next rung is, and the reciprocal share that is kept.
    """
    from orchestrator.study_file.search.successive_halving import SuccessiveHalving

    return SuccessiveHalving(first_rung, factor)


SCHEDULERS: Mapping[str, Callable[..., Any]] = {"none": none, "median": median, "asha": asha}


def make_scheduler(spec: Mapping[str, Any]) -> Any:
    """Return the scheduler of a specification."""
    return SCHEDULERS[spec["name"]](**{key: value for key, value in spec.items() if key != "name"})
