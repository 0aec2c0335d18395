"""Run studies: plan, schedule on a Ray cluster, record, resume, report. The only package that knows the others."""

from typing import Any

__all__ = ["RunOptions", "RunResult", "load_study", "run_study"]


def __getattr__(name: str) -> Any:
    """Import the public names on first use, so that `orchestrate --help` need not wait for torch."""
    if name == "load_study":
        from orchestrator.results import load_study

        return load_study
    if name in __all__:
        from orchestrator import study

        return getattr(study, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
