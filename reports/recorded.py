"""The numbers on record of a trial, as expressions: metrics read them in Python, and the results DB in SQL."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reports.trials import Arm, Trial


class Source(StrEnum):
    """Which record holds a number."""

    TRIAL = "trial"
    ARM = "arm"
    TELEMETRY = "telemetry"


class Expression(ABC):
    """A number that follows from what is on record of a trial and its arm; None where anything it needs is missing."""

    @abstractmethod
    def __call__(self, trial: Trial, arm: Arm, measured: Mapping[str, Any]) -> float | None:
        """Return the number of one trial."""

    def __add__(self, other: "Expression") -> "Expression":
        """Return the sum of two numbers."""
        return Computed("+", self, other)

    def __sub__(self, other: "Expression") -> "Expression":
        """Return the difference of two numbers."""
        return Computed("-", self, other)

    def __mul__(self, other: "Expression") -> "Expression":
        """Return the product of two numbers."""
        return Computed("*", self, other)

    def __truediv__(self, other: "Expression") -> "Expression":
        """Return the ratio of two numbers; there is none to zero."""
        return Computed("/", self, other)


@dataclass(frozen=True)
class Recorded(Expression):
    """A field of the trial or of its arm, or a fact of the trial's telemetry."""

    source: Source
    name: str

    def __call__(self, trial: Trial, arm: Arm, measured: Mapping[str, Any]) -> float | None:
        """Return the number as it is on record."""
        if self.source is Source.TELEMETRY:
            return as_number(trial.telemetry.get(self.name))
        value = getattr(trial if self.source is Source.TRIAL else arm, self.name)
        return None if value is None else float(value)


@dataclass(frozen=True)
class Computed(Expression):
    """Two numbers put together by the sign of an operation of arithmetic."""

    sign: str
    left: Expression
    right: Expression

    def __call__(self, trial: Trial, arm: Arm, measured: Mapping[str, Any]) -> float | None:
        """Return the number, None where either side has none or the right one is a divisor of zero."""
        left, right = self.left(trial, arm, measured), self.right(trial, arm, measured)
        if left is None or right is None or (self.sign == "/" and right == 0):
            return None
        return _ARITHMETIC[self.sign](left, right)


_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def of_trial(name: str) -> Recorded:
    """Return a field of `Trial`; those of its last epoch bear the same name."""
    return Recorded(Source.TRIAL, name)


def of_arm(name: str) -> Recorded:
    """Return a field of `Arm`."""
    return Recorded(Source.ARM, name)


def of_telemetry(name: str) -> Recorded:
    """Return a fact of `Trial.telemetry`, where it is a number."""
    return Recorded(Source.TELEMETRY, name)


def as_number(value: Any) -> float | None:
    """Return a value as a float, None when it is no number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
