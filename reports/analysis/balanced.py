"""The analysis of variance of a design in which every combination of levels has one reading: means are enough."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Term = tuple[str, ...]


@dataclass(frozen=True)
class Squares:
    """The sum of squares of each term, and of the residual; those of type 2 and 3 are the same here."""

    of: Mapping[Term, float]
    residual: float


def is_balanced(codes: Mapping[str, NDArray[np.intp]]) -> bool:
    """Whether every combination of the levels, which are numbered from 0, occurs once."""
    sizes = [int(each.max()) + 1 for each in codes.values()]
    n = len(next(iter(codes.values())))
    return math.prod(sizes) == n and len(np.unique(np.ravel_multi_index(tuple(codes.values()), sizes))) == n


def balanced_squares(
    terms: Sequence[Term], codes: Mapping[str, NDArray[np.intp]], readings: NDArray[np.float64]
) -> Squares:
    """Return the sums of squares of a balanced design, where the effects of all terms are orthogonal.

    The effect of a term is what the means over everything else tell beyond the effects of its parts (Montgomery,
    Design and Analysis of Experiments, 5.3).
    """
    table = np.empty([int(each.max()) + 1 for each in codes.values()])
    table[tuple(codes.values())] = readings
    left, squares = table - table.mean(), {}
    for term in terms:
        others = tuple(axis for axis, factor in enumerate(codes) if factor not in term)
        effect = table.mean(axis=others, keepdims=True)
        for axis, factor in enumerate(codes):
            if factor in term:
                effect = effect - effect.mean(axis=axis, keepdims=True)
        squares[term] = float((effect**2).sum() * table.size / effect.size)
        left = left - effect
    return Squares(squares, float((left**2).sum()))
