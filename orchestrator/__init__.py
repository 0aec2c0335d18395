"""Run studies: plan, schedule on a Ray cluster, record, resume, report. The only package that knows the others."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.results.location import load_study
    from orchestrator.running.job import RunOptions
    from orchestrator.study import run_study
    from orchestrator.terminal.run_result import RunResult

__all__ = ["RunOptions", "RunResult", "load_study", "run_study"]
_PLACES = {
    "RunOptions": "orchestrator.running.job",
    "RunResult": "orchestrator.terminal.run_result",
    "load_study": "orchestrator.results.location",
    "run_study": "orchestrator.study",
}


def __getattr__(name: str) -> object:
    """Import the public names on first use, so that `orchestrate --help` need not wait for torch."""
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names, which are imported on first use, for completion."""
    return sorted(__all__)
