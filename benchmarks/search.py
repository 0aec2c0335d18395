"""Samplers and schedulers on a replayed factorial study, each over many seeds against random search.

The table is a full factorial study of small networks on the digits, trained once into `--table` (a few minutes) and
replayed afterwards: every search takes its curves from there, on a simulated clock.

    python benchmarks/search.py [--table out/search-table.db] [--seeds 20] [--arms 40]
"""

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event as Flag
from typing import Any

import yaml
from record import write_result
from scipy import stats

from orchestrator import RunOptions, run_study
from orchestrator.config import check_study
from orchestrator.engine.replay import ReplayExecutor
from orchestrator.environment import environment_facts
from orchestrator.replaying import Replay, open_replay
from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.plan import plan_search
from orchestrator.search.source import SearchSource
from orchestrator.study_plan import PlannedArm
from orchestrator.yaml_source import parse_yaml
from reports.results import State

FACTORS = {
    "depth": [8, 14],
    "width": [2, 3, 4],
    "activation": ["original", "relu_only_preact", "full_preact"],
    "shortcut": ["identity", {"op": "scale"}, {"op": "dropout", "rate": 0.5}],
    "training.lr": [0.01, 0.03, 0.1, 0.3],
}
TABLE = {
    "study": "search-table",
    "data": {"name": "digits", "validation": 0.2},
    "network": {"family": "resnet_cifar", "width": 4, "depth": 8},
    "factors": FACTORS,
    "training": {"recipe": "quick", "epochs": 4},
    "seeds": 1,
}
SAMPLERS: Mapping[str, Any] = {
    "random": "random",
    "tpe": "tpe",
    "gp": "gp",
    "nsga2": {"name": "nsga2", "population_size": 10},
}
SCHEDULERS: Mapping[str, Any] = {"none": "none", "median": "median", "asha": {"name": "asha", "factor": 2}}


def main() -> None:
    """Train the table where it is missing, replay the searches on it, print and store what they found."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--table", default="out/search-table.db")
    words.add_argument("--seeds", type=int, default=20)
    words.add_argument("--arms", type=int, default=40)
    words.add_argument("--executor", default="ray")
    given = words.parse_args()
    replay = _table(Path(given.table).resolve(), given.executor)
    planned: dict[str, PlannedArm] = {}
    errors = sorted(trial.val_error for trial in replay.trials.values() if trial.val_error is not None)
    print(f"table: {len(replay.trials)} arms, validation error from {errors[0]:.2f} to {errors[-1]:.2f} %")
    samplers = {
        name: [_search(replay, planned, given.arms, seed, spec, "none", 1) for seed in range(given.seeds)]
        for name, spec in SAMPLERS.items()
    }
    schedulers = {
        f"{name}, {slots} workers": [
            _search(replay, planned, given.arms, seed, "random", spec, slots) for seed in range(given.seeds)
        ]
        for name, spec in SCHEDULERS.items()
        for slots in (1, 100)
    }
    figures = {
        "table": {"arms": len(replay.trials), "least": errors[0], "median": statistics.median(errors)},
        "seeds": given.seeds,
        "arms": given.arms,
        "samplers": _compared(samplers, "random", errors[0]),
        "schedulers": _compared(schedulers, "none, 1 workers", errors[0]),
    }
    for group in ("samplers", "schedulers"):
        for name, found in figures[group].items():
            print(f"{name:>22}: {_sentence(found)}")
    print(write_result("search", figures, environment_facts("cpu", 1)))


def _table(path: Path, executor: str) -> Replay:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(TABLE, sort_keys=False))
    url = f"sqlite:///{path}"
    run_study(file, options=RunOptions(db=url, executor=executor, report=False, out=path.parent / "search-table"))
    return open_replay(url, path.parent / "search-table")


def _search(
    replay: Replay, planned: dict[str, PlannedArm], arms: int, seed: int, sampler: Any, scheduler: Any, slots: int
) -> dict[str, Any]:
    """Replay one search; return the least complete validation error after each arm, and what it took."""
    search = {"arms": arms, "sampler": sampler, "scheduler": scheduler, "seed": seed}
    file = {**TABLE, "study": "replayed", "data": "digits", "design": "search", "search": search}
    file.pop("seeds")
    plan = plan_search(check_study(parse_yaml(yaml.safe_dump(file, sort_keys=False), "replayed.yaml"), Path()))
    source = SearchSource(plan, MemoryLedger(), on_record=replay.has, planned_arms=planned)
    executor = ReplayExecutor(replay.trials, slots)
    started = time.perf_counter()
    executor.execute(source, lambda event: None, Flag())
    campaign = source.campaigns["search"]
    best: list[float] = []
    for arm in campaign.arms:
        score = campaign.scores[arm]
        value = score.values[0] if score.state is State.COMPLETE else 100.0
        best.append(min([value, *best[-1:]]))
    return {"best": best, "seconds": time.perf_counter() - started, "simulated_seconds": executor.seconds}


def _compared(found: Mapping[str, Sequence[Mapping[str, Any]]], reference: str, least: float) -> dict[str, Any]:
    """Compare each with the reference, paired by seed: the difference of the least errors and of their means."""
    base = found[reference]
    return {
        name: {
            "regret": statistics.fmean(each["best"][-1] - least for each in runs),
            "difference_at_end": _interval([a["best"][-1] - b["best"][-1] for a, b in zip(runs, base, strict=True)]),
            "difference_over_arms": _interval(
                [statistics.fmean(a["best"]) - statistics.fmean(b["best"]) for a, b in zip(runs, base, strict=True)]
            ),
            "seconds": statistics.fmean(each["seconds"] for each in runs),
            "simulated_seconds": statistics.fmean(each["simulated_seconds"] for each in runs),
        }
        for name, runs in found.items()
    }


def _interval(differences: Sequence[float]) -> dict[str, float]:
    """Return the mean of paired differences with Student's 95 % interval."""
    mean = statistics.fmean(differences)
    half = float(stats.t.ppf(0.975, len(differences) - 1)) * statistics.stdev(differences) / len(differences) ** 0.5
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _sentence(found: Mapping[str, Any]) -> str:
    end, over = found["difference_at_end"], found["difference_over_arms"]
    return (
        f"{found['regret']:.2f} points above the best arm; against the reference {end['mean']:+.2f} "
        f"[{end['low']:+.2f}, {end['high']:+.2f}] at the end, {over['mean']:+.2f} [{over['low']:+.2f}, "
        f"{over['high']:+.2f}] over all arms; {found['seconds']:.2f} s to search, "
        f"{found['simulated_seconds']:.0f} s to train"
    )


if __name__ == "__main__":
    main()
