"""What a number of seeds can show: the power of a t test, the smallest effect it sees, the seeds it needs."""

import math
from bisect import bisect_left
from collections.abc import Callable

import scipy

MOST_SEEDS = 1000


def t_power(noncentrality: float, df: float, alpha: float = 0.05) -> float:
    """Return the power of the two-sided t test at level alpha, by the noncentral t distribution."""
    return tail_power(noncentrality, df, alpha / 2) + tail_power(-noncentrality, df, alpha / 2)


def tail_power(noncentrality: float, df: float, tail: float) -> float:
    """Return the chance that a noncentral t exceeds the critical value which t exceeds with chance `tail`."""
    below = float(scipy.special.nctdtr(df, noncentrality, scipy.special.stdtrit(df, 1 - tail)))
    # scipy has nan for chances next to 0 and 1, from a noncentrality of about 6 downwards and 36 upwards.
    return float(noncentrality > 0) if math.isnan(below) else 1 - below


def smallest_effect(power_at: Callable[[float], float], power: float) -> float | None:
    """Return the smallest effect at which `power_at` reaches `power`; None beyond a million."""
    high = 1.0
    while power_at(high) < power:
        high *= 2
        if high > 1e6:
            return None
    return float(scipy.optimize.brentq(lambda effect: power_at(effect) - power, 0.0, high, xtol=1e-10))


def fewest_seeds(power_at: Callable[[int], float], power: float) -> int | None:
    """Return the number of seeds, 2 or more, from which on `power_at` reaches `power`; None beyond `MOST_SEEDS`."""
    numbers = range(2, MOST_SEEDS + 1)
    place = bisect_left(numbers, power, key=power_at)
    return numbers[place] if place < len(numbers) else None


def smallest_paired(n: int, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Return the smallest effect that n seeds detect by the paired t, in SDs of the differences; None below 2."""
    return smallest_effect(lambda size: t_power(size * math.sqrt(n), n - 1, alpha), power) if n >= 2 else None


def smallest_welch(n: int, alpha: float = 0.05, power: float = 0.8) -> float | None:
    """Return the smallest difference of two unpaired arms of n seeds each, in SDs of one arm; None below 2 seeds."""
    return smallest_effect(lambda size: t_power(size * math.sqrt(n / 2), 2 * n - 2, alpha), power) if n >= 2 else None


def seeds_needed(distance: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Return the fewest seeds with which the paired t sees `distance`, in SDs of the differences, with that power.

    None when even `MOST_SEEDS` are too few.
    """
    return fewest_seeds(lambda n: t_power(distance * math.sqrt(n), n - 1, alpha), power)


def seeds_for_rate(rate: float, alpha: float = 0.05) -> int:
    """Return the fewest seeds that, all failing, put the exact lower bound of their fail rate above `rate`.

    With rate 0.5 it is also the fewest that let a sign test decide. `rate` lies between 0 and 1.
    """
    return max(1, math.ceil(math.log(alpha / 2) / math.log(rate) - 1e-9))
