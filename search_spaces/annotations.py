"""What the annotation of a setting says beside its type: a range, known words, a length, a form, a meaning."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

Number = int | float
"""A number that stays the integer or the fraction as which it is written."""


@dataclass(frozen=True)
class Range:
    """The numbers that a setting may take; `low` and `high` themselves are allowed unless `open_low` or `open_high`."""

    low: float | None = None
    high: float | None = None
    open_high: bool = False
    open_low: bool = False

    def __contains__(self, value: float) -> bool:
        if self.low is not None and (value < self.low or (self.open_low and value == self.low)):
            return False
        return self.high is None or value < self.high or (value == self.high and not self.open_high)

    def __str__(self) -> str:
        below = "below" if self.open_high else "to"
        if self.low is None:
            return f"{below if self.open_high else 'at most'} {figure(self.high)}"
        low = figure(self.low)
        if self.high is None:
            return f"above {low}" if self.open_low else f"at least {low}"
        if self.open_low:
            return f"above {low} and {'below' if self.open_high else 'at most'} {figure(self.high)}"
        return f"from {low} {below} {figure(self.high)}"


@dataclass(frozen=True)
class Words:
    """The words that a setting may be, where they are known only when the program runs."""

    known: tuple[str, ...]


@dataclass(frozen=True)
class Length:
    """How many items a list may have."""

    low: int = 0
    high: int | None = None


@dataclass(frozen=True)
class About:
    """What a setting means, in which unit, and an example of it as YAML: for the reference and for messages."""

    text: str = ""
    unit: str | None = None
    example: str | None = None


Target = Callable[..., object]
"""A class or function whose keyword arguments are settings."""


@dataclass(frozen=True)
class Named:
    """A setting that is a name, or a mapping of that name (under `tag`) and the arguments of what it names.

    `targets` gives what can be named; `given` are no settings of theirs. `others` says how a name of the user's own is
    written, where one may be, and `default` which name holds without any; with `may_lack_name` a mapping without a
    name changes what stands elsewhere. The settings of `beside` may stand beside those of every name.
    """

    targets: Callable[[], Mapping[str, Target]]
    tag: str = "name"
    given: frozenset[str] = frozenset()
    others: str | None = None
    default: str | None = None
    may_lack_name: bool = False
    beside: Target | None = None


@dataclass(frozen=True)
class Rows:
    """The settings of a mapping, or of each mapping of a list, that is kept as it is written and read elsewhere."""

    of: Callable[[], Target | Named]


@dataclass(frozen=True)
class Pattern:
    """The form of a text: a regular expression that fits the whole of it, and what that means in words."""

    expression: str
    words: str


def figure(number: float | None) -> str:
    """Return a number as messages show it."""
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


MOST = 100_000
"""No count of layers, channels or arms is larger; what fits a machine is far below."""
LAST_SEED = 2**63 - 1
"""The databases hold no larger integer."""
Positive = Annotated[int, Range(low=1, high=MOST)]
Depth = Annotated[int, Range(low=1, high=10_000)]
Share = Annotated[float, Range(low=0, high=1)]
Rate = Annotated[float, Range(low=0, high=1, open_high=True)]
AboveZero = Annotated[float, Range(low=0, open_low=True)]
