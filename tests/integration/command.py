"""What a command of the program gives in the tests."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


class Orchestrate(Protocol):
    def __call__(self, *words: str) -> Ended: ...
