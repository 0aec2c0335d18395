"""What the report of a large study costs: time, memory, size, elements, and how fast it answers in Chromium.

The study is made up (its numbers are random and mean nothing): as many arms as fit, with `--seeds` seeds each, ten
epochs a trial, one in fifty diverged. It is written in a process of its own, whose peak of memory is its own.

    python benchmarks/report.py [--trials 10000] [--seeds 5]

Exit code 1 when a figure is above its budget.
"""

import argparse
import json
import multiprocessing
import random
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from record import machine, write_result

from reports.page import write_report
from reports.results import Study
from reports.trials import Arm, Epoch, State, Trial

BUDGET = {
    "seconds": 45.0,
    "peak_memory_mib": 1536.0,
    "page_mib": 6.0,
    "elements": 15_000,
    "interactive_seconds": 1.5,
    "sort_ms": 100.0,
    "filter_ms": 100.0,
}
EPOCHS = 10
_ANSWER = """([act, again]) => new Promise((done) => {
  const start = performance.now();
  const element = document.querySelector(act);
  if (again === null) { element.click(); }
  else { element.value = again; element.dispatchEvent(new Event("input", {bubbles: true})); }
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


def study_of(trials: int, seeds: int) -> Study:
    """Return a study of at least `trials` trials: depth, width, learning rate and a shortcut, crossed."""
    noise = random.Random(7)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    arms, rows = [], []
    wanted = -(-trials // seeds)
    rates = tuple(round(0.01 * 1.1**at, 5) for at in range(-(-wanted // 60)))
    factors = {"depth": (20, 32, 44, 56, 110), "width": (8, 16, 32, 64), "shortcut": ("a", "b", "c"), "lr": rates}
    for at in range(wanted):
        depth, width = factors["depth"][at % 5], factors["width"][at // 5 % 4]
        levels = {"depth": depth, "width": width, "shortcut": "abc"[at // 20 % 3], "lr": rates[at // 60]}
        name = " ".join(f"{key}={value}" for key, value in levels.items())
        settings = {"network": {"depth": depth, "width": width}, "training": {"lr": levels["lr"]}}
        arms.append(Arm(name, levels, settings, 750 * depth * width, 90_000 * depth * width))
        level = noise.uniform(2, 12)
        for seed in range(seeds):
            rows.append(_trial(len(rows), name, seed, level, noise, start))
    return Study(
        name="large",
        question="How large may a study be?",
        source="study: large\n",
        settings={"study": "large", "data": {"name": "digits"}, "seeds": list(range(seeds))},
        factors=factors,
        baseline={"shortcut": "a"},
        fail_above=None,
        arms=tuple(arms),
        trials=tuple(rows),
    )


def _trial(number: int, arm: str, seed: int, level: float, noise: random.Random, start: datetime) -> Trial:
    diverged = noise.random() < 0.02
    epochs = noise.randint(1, EPOCHS) if diverged else EPOCHS
    end = level + noise.gauss(0, 0.3)
    curve = tuple(
        Epoch(epoch, 2 / epoch, 80 / epoch, 2.2 / epoch, end + (80 - end) * (1 - epoch / EPOCHS) ** 2, 0.1, 1.0)
        for epoch in range(1, epochs + 1)
    )
    begun = start + timedelta(seconds=3 * number)
    return Trial(
        id=f"{number:016x}",
        arm=arm,
        seed=seed,
        state=State.DIVERGED if diverged else State.COMPLETE,
        reason="the loss is not finite" if diverged else None,
        test_error=None if diverged else end,
        train_error=curve[-1].train_error,
        seconds=float(epochs),
        device="cpu",
        attempts=1,
        started_at=begun,
        finished_at=begun + timedelta(seconds=epochs),
        diverged_at=epochs if diverged else None,
        curve=curve,
    )


def write(folder: str, trials: int, seeds: int) -> dict[str, float]:
    """Write the report in this process, and return its seconds and the process's peak of memory."""
    study = study_of(trials, seeds)
    started = time.perf_counter()
    write_report(study, Path(folder))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return {"seconds": seconds, "peak_memory_mib": peak}


def look(page_file: Path, times: int = 5) -> dict[str, float]:
    """Open the page in Chromium: elements, time until it can be used, medians of `times` sorts and filters."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(page_file.as_uri())
        interactive = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive / 1000")
        elements = page.evaluate("document.querySelectorAll('*').length")
        button = "#trials-table th[data-key=test_error] button"
        sorts = [page.evaluate(_ANSWER, [button, None]) for _ in range(times)]
        filters = [page.evaluate(_ANSWER, ["#filter", f"depth>=56 seed:{at % 5}"]) for at in range(times)]
        browser.close()
    return {
        "elements": elements,
        "interactive_seconds": interactive,
        "sort_ms": statistics.median(sorts),
        "filter_ms": statistics.median(filters),
    }


def measure(trials: int, seeds: int) -> dict[str, float]:
    """Return every figure that has a budget."""
    with tempfile.TemporaryDirectory() as folder:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            figures = pool.apply(write, (folder, trials, seeds))
        page = Path(folder) / "index.html"
        figures["page_mib"] = page.stat().st_size / 2**20
        return {**figures, **look(page)}


def above(figures: Mapping[str, Any]) -> list[str]:
    """Name the figures that are above their budget."""
    return [f"{name}: {figures[name]:g}, budget {most:g}" for name, most in BUDGET.items() if figures[name] > most]


def main() -> None:
    """Measure, print the figures, and write them to results/."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    figures = measure(options.trials, options.seeds)
    print(json.dumps(figures, indent=2))
    found = {"trials": options.trials, "seeds": options.seeds, **figures, "budget": BUDGET}
    print(write_result("report", found, machine("cpu")))
    for line in (over := above(figures)):
        print(f"above its budget: {line}")
    sys.exit(1 if over else 0)


if __name__ == "__main__":
    main()
