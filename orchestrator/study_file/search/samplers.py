"""Optuna's samplers, every argument pinned: a default that Optuna changes must not change a search."""

import warnings
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from search_spaces.annotations import Positive, Range, Share

Population = Annotated[int, Range(low=2)]


def tpe(
    *,
    seed: int,
    n_startup_trials: Positive = 10,
    n_ei_candidates: Positive = 24,
    multivariate: bool = True,
    group: bool = False,
    constant_liar: bool = True,
) -> Any:
    """Tree-structured Parzen estimator (Bergstra et al. 2011): models where good arms lie and where the rest does.

    n_startup_trials: arms drawn at random before the model is used.
    n_ei_candidates: candidates among which the best expected one is taken.
    multivariate: model the settings together.
    group: model settings that appear together as a group.
    constant_liar: count arms that are still training as bad ones.
    """
    from optuna.samplers import TPESampler

    return TPESampler(
        seed=seed,
        n_startup_trials=n_startup_trials,
        n_ei_candidates=n_ei_candidates,
        multivariate=multivariate,
        group=group,
        constant_liar=constant_liar,
    )


def gp(*, seed: int, n_startup_trials: Positive = 10, deterministic_objective: bool = False) -> Any:
    """Bayesian optimisation with a Gaussian process.

    n_startup_trials: arms drawn at random before the model is used.
    deterministic_objective: take the readings as free of noise.
    """
    from optuna.samplers import GPSampler, RandomSampler

    return GPSampler(
        seed=seed,
        independent_sampler=RandomSampler(seed=seed),
        n_startup_trials=n_startup_trials,
        deterministic_objective=deterministic_objective,
    )


def nsga2(
    *, seed: int, population_size: Population = 16, crossover_prob: Share = 0.9, swapping_prob: Share = 0.5
) -> Any:
    """Non-dominated sorting genetic algorithm II (Deb et al. 2002).

    population_size: arms of a generation.
    crossover_prob: probability that two arms are crossed.
    swapping_prob: probability that a setting is swapped between them.
    """
    from optuna.samplers import NSGAIISampler

    return NSGAIISampler(
        seed=seed,
        population_size=population_size,
        mutation_prob=None,
        crossover_prob=crossover_prob,
        swapping_prob=swapping_prob,
    )


def nsga3(
    *,
    seed: int,
    population_size: Population = 16,
    crossover_prob: Share = 0.9,
    swapping_prob: Share = 0.5,
    dividing_parameter: Positive = 3,
) -> Any:
    """NSGA-III (Deb and Jain 2014): reference points keep the front spread when objectives are many.

    population_size: arms of a generation.
    crossover_prob: probability that two arms are crossed.
    swapping_prob: probability that a setting is swapped between them.
    dividing_parameter: density of the reference points.
    """
    from optuna.samplers import NSGAIIISampler

    return NSGAIIISampler(
        seed=seed,
        population_size=population_size,
        mutation_prob=None,
        crossover_prob=crossover_prob,
        swapping_prob=swapping_prob,
        dividing_parameter=dividing_parameter,
    )


def random(*, seed: int) -> Any:
    """Every arm with the same probability."""
    from optuna.samplers import RandomSampler

    return RandomSampler(seed=seed)


def grid(*, seed: int) -> Any:
    """Every arm of the space in its order; the optimization hands the points out, so nothing is left to draw."""
    return random(seed=seed)


SAMPLERS: Mapping[str, Callable[..., Any]] = {
    "tpe": tpe,
    "gp": gp,
    "nsga2": nsga2,
    "nsga3": nsga3,
    "random": random,
    "grid": grid,
}


def make_sampler(spec: Mapping[str, Any], seed: int) -> Any:
    """Return a fresh sampler: what it draws is a function of its seed and of the proposals so far."""
    from optuna.exceptions import ExperimentalWarning

    arguments = {key: value for key, value in spec.items() if key != "name"}
    with warnings.catch_warnings():
        # Whether Optuna calls an argument experimental is of no concern once it is pinned.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return SAMPLERS[spec["name"]](seed=seed, **arguments)
