"""Samplers and schedulers on a replayed factorial study, each over many seeds against random search.

The table is a full factorial study of small networks on the digits, trained once into `--table` (a few minutes) and
replayed afterwards: every search takes its curves from there, on a simulated clock of one worker, then of eight.

    python benchmarks/search.py [--table out/search-table.db] [--seeds 20] [--arms 40]
"""

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from record import write_result

from orchestrator import RunOptions, run_study
from orchestrator.records.environment import environment_facts
from reports.analysis.samplers import Contest, comparison
from reports.results import Study
from reports.sections.samplers import judgements

TABLE: Mapping[str, Any] = {
    "study": "search-table",
    "data": {"name": "digits", "validation": 0.2},
    "network": {"family": "resnet_cifar", "width": 4, "depth": 8},
    "factors": {
        "depth": [8, 14],
        "width": [2, 3, 4],
        "activation": ["original", "relu_only_preact", "full_preact"],
        "shortcut": ["identity", {"op": "scale"}, {"op": "dropout", "rate": 0.5}],
        "training.lr": [0.01, 0.03, 0.1, 0.3],
    },
    "training": {"recipe": "quick", "epochs": 4},
    "seeds": 1,
}
SAMPLERS = ["tpe", "gp", {"name": "nsga2", "population_size": 10}]
SCHEDULERS = ["median", {"name": "asha", "factor": 2}]


def main() -> None:
    """Train the table where it is missing, replay the searches on it, print and store what they found."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--table", default="out/search-table.db")
    words.add_argument("--seeds", type=int, default=20)
    words.add_argument("--arms", type=int, default=40)
    words.add_argument("--executor", default="ray")
    given = words.parse_args()
    table = Path(given.table).resolve()
    table.parent.mkdir(parents=True, exist_ok=True)
    run(TABLE, table, given.executor)
    figures: dict[str, Any] = {"seeds": given.seeds, "arms": given.arms}
    for workers in (1, 8):
        study = run(replayed(given.arms, given.seeds, workers), table, "replay")
        found = comparison(study)
        assert found is not None
        print(f"{workers} workers, {found.on_record} arms on record", *judgements(study), sep="\n  ")
        figures[f"{workers} workers"] = {
            "on_record": found.on_record,
            "least_on_record": found.least,
            **{each.name: summary(each) for each in (found.reference, *found.contests)},
        }
    print(write_result("search", figures, environment_facts("cpu", 1)))


def replayed(arms: int, seeds: int, workers: int) -> dict[str, Any]:
    """Return the study file of a search over the table's space."""
    compare = {"samplers": SAMPLERS, "schedulers": SCHEDULERS, "seeds": seeds}
    file = {
        **TABLE,
        "study": f"search-{workers}",
        "data": "digits",
        "design": "search",
        "search": {"arms": arms, "sampler": "random", "compare": compare},
        "resources": {"max_concurrent": workers},
    }
    del file["seeds"]
    return file


def run(file: Mapping[str, Any], table: Path, executor: str) -> Study:
    """Run a study beside the table; its page is in a folder of its name."""
    path = table.with_name(f"{file['study']}.yaml")
    path.write_text(yaml.safe_dump(dict(file), sort_keys=False))
    out = table.with_name(str(file["study"]))
    return run_study(path, options=RunOptions(db=f"sqlite:///{table}", executor=executor, out=out)).study


def summary(contest: Contest) -> dict[str, Any]:
    """Return the figures of one sampler or scheduler, without its schedule arm by arm."""
    found = asdict(contest) | {"worth": str(contest.worth)}
    return {key: value for key, value in found.items() if key not in ("name", "curve", "band")}


if __name__ == "__main__":
    main()
