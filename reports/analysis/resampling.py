"""The percentile bootstrap, which is refused where it misleads."""

from collections.abc import Sequence

import numpy as np

FEWEST = 10


def bootstrap_interval(
    values: Sequence[float], rng: np.random.Generator, level: float = 0.95, draws: int = 10_000
) -> tuple[float, float]:
    """Return the percentile interval of the mean; ValueError below ten values.

    With three values a nominal 95 % interval is their range and covers the mean in 75 % of all studies, with five in
    84 %; Student's interval covers it in 95 %.
    """
    if len(values) < FEWEST:
        raise ValueError(f"a bootstrap over {len(values)} seeds covers too little: it needs {FEWEST}, use Student's t")
    picks = rng.integers(0, len(values), size=(draws, len(values)))
    means = np.asarray(values, dtype=float)[picks].mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
