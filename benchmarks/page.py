"""Write what the JSON files in `results/` say as a page of the documentation; `docs/generate.py` runs it.

Nothing on the page is written by hand but what each benchmark asks: the figures, the hardware, the versions, and the
list of what is slower, undecided or beyond its bound all come from the files.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
PEERS = {
    "plain": "the plain PyTorch loop",
    "compile": "the plain loop, compiled",
    "library": "a library's network in the plain loop",
}


@dataclass(frozen=True)
class Record:
    """One file of `results/`: what was measured, how, and on what."""

    name: str
    command: str
    measured_at: str
    environment: Mapping[str, Any]
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Benchmark:
    """How the figures of one kind of benchmark are shown, and what in them speaks against this project."""

    title: str
    table: Callable[[Mapping[str, Any]], Iterator[str]]
    losses: Callable[[Mapping[str, Any]], Iterator[str]]


def lines(folder: Path = RESULTS) -> Iterator[str]:
    """Yield the page, line by line."""
    order = list(KINDS.values())
    found_files = [_read(path) for path in sorted(folder.glob("*.json"))]
    records = sorted(found_files, key=lambda each: order.index(_kind(each)) if _kind(each) in order else len(order))
    yield "# Benchmarks\n"
    yield "Each figure stands in a JSON file of `benchmarks/results`, with the command, hardware and versions that it"
    yield "belongs to; this page is made from these files, and `benchmarks/README.md` says how to measure them again.\n"
    yield "## Where it is slower, undecided or beyond its bound\n"
    found = [f"- {_kind(record).title}: {loss}." for record in records for loss in _kind(record).losses(record.figures)]
    yield from found or ["Nothing in these files."]
    yield ""
    for record in records:
        yield f"## {_kind(record).title} (`{record.name}`)\n"
        yield f"`{record.command}`\n"
        yield f"{_surroundings(record)}\n"
        yield from _kind(record).table(record.figures)
        yield ""


def _read(path: Path) -> Record:
    given = json.loads(path.read_text(encoding="utf-8"))
    if "figures" not in given:
        versions = {name: given[name] for name in ("python", "numpy", "scipy") if name in given}
        return Record(path.stem, _simulation(path.stem, given), "", versions, given)
    return Record(path.stem, given["command"], given["measured_at"], given["environment"], given["figures"])


def _simulation(name: str, given: Mapping[str, Any]) -> str:
    """Return the command of a simulation, whose file has no record of it: its rows know how many studies there were."""
    studies = max(row["studies"] for rows in given.values() if isinstance(rows, list) for row in rows)
    return f"python -m benchmarks.{name} --studies {studies} --seed {given['seed']}"


def _surroundings(record: Record) -> str:
    """Return when and on what something was measured, in a sentence."""
    facts = record.environment
    cores = facts.get("cpus", facts.get("cores"))
    device = facts.get("device")
    machine = facts.get("processor") or facts.get("cpu")
    hardware = [machine and f"{machine}, {cores} cores", device not in (machine, "cpu", None) and device]
    packages = {"python": facts.get("python"), **facts.get("packages", {})}
    for name in ("torch", "numpy", "scipy"):
        packages.setdefault(name, facts.get(name))
    versions = ", ".join(f"{name} {version}" for name, version in packages.items() if version)
    measured = f"Measured on {record.measured_at[:10]}" if record.measured_at else "Simulated"
    return f"{'; '.join([measured, *(str(each) for each in hardware if each)])}; {versions}."


def _table(head: Sequence[str], rows: Iterator[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(_shown(cell) for cell in row) + " |"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "" if value is None else str(value).replace("|", "\\|")


def _nothing(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from ()


def _scalars(figures: Mapping[str, Any]) -> Iterator[str]:
    """Show the figures that are single values, for a benchmark that has no table of its own."""
    plain = ((name.replace("_", " "), value) for name, value in figures.items() if not isinstance(value, dict | list))
    yield from _table(("figure", "value"), plain)


# Training


def _training(figures: Mapping[str, Any]) -> Iterator[str]:
    ways = list(dict.fromkeys(way for each in figures["networks"].values() for way in each["images_per_second"]))
    yield "Images a second, and in brackets the ratio to the plain loop.\n"
    yield from _table(
        ("network", *ways),
        ((name, *(_rate(each, way) for way in ways)) for name, each in figures["networks"].items()),
    )


def _rate(network: Mapping[str, Any], way: str) -> str | None:
    rate = network["images_per_second"].get(way)
    return None if rate is None else f"{rate:,.0f} ({network['ratio_to_plain'][way]:.2f})"


def _training_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, each in figures["networks"].items():
        rates = each["images_per_second"]
        for peer in PEERS:
            yield from (
                f"{name}, {way}: {rates[way] / rates[peer]:.2f} times as fast as {PEERS[peer]}"
                for way in rates
                if way not in PEERS and peer in rates and rates[way] < rates[peer]
            )
        yield from (
            f"{name}, {way}: {rates[way] / rates['ours']:.2f} times as fast as one network alone"
            for way in rates
            if way.startswith("ours, pack") and rates[way] < rates["ours"]
        )


def _ladder(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "Each means of going faster, against the one named.\n"
    yield from _table(
        ("network", "means", "images a second", "against", "ratio"),
        (
            (name, means, each["images_per_second"], each["before"], each["ratio_to_before"])
            for name, ladder in figures["networks"].items()
            for means, each in ladder.items()
            if "absent" not in each
        ),
    )


def _ladder_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, ladder in figures["networks"].items():
        for means, each in ladder.items():
            if each.get("ratio_to_before") and each["ratio_to_before"] < 1:
                yield f"{name}, {means}: {each['ratio_to_before']:.2f} times as fast as {each['before']}"


# Beside Ray Tune


def _overhead(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "Seconds that a trial and slot cost beyond the training, here and with Ray Tune's function trainable.\n"
    yield from _table(
        ("this project", "Ray Tune", "ratio", "trials", "slots"),
        iter(
            [
                (
                    figures["seconds_a_trial_and_slot"],
                    figures["function_trainable_seconds_a_trial_and_slot"],
                    figures["ratio"],
                    figures["trials"],
                    figures["slots"],
                )
            ]
        ),
    )


def _overhead_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["ratio"] < 1:
        yield f"Ray Tune's function trainable costs {figures['ratio']:.2f} times as much a trial"


def _quickstart(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "Seconds of the whole quickstart, and of the same trials written by hand for Ray Tune.\n"
    rounds = ((each["product_seconds"], each["by_hand_seconds"], each["ratio"]) for each in figures["rounds"])
    yield from _table(("this project", "by hand", "ratio"), rounds)
    yield "\nTest error in per cent, mean of the seeds: the two draw different batches.\n"
    yield from _table(
        ("arm", "this project", "by hand"),
        ((arm, error, figures["test_error_by_hand"].get(arm)) for arm, error in figures["test_error_product"].items()),
    )


def _quickstart_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["median_ratio"] < 1:
        yield f"by hand it takes {figures['median_ratio']:.2f} times as long"
    if len(figures["rounds"]) == 1:
        yield "measured once, so that the ratio has no interval"


# What else it costs


def _report(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"The report of {figures['trials']:,} trials.\n"
    budget = figures["budget"]
    yield from _table(
        ("figure", "found", "allowed"), ((name.replace("_", " "), figures[name], budget[name]) for name in budget)
    )


def _report_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, allowed in figures["budget"].items():
        if figures[name] is not None and figures[name] > allowed:
            yield f"{name.replace('_', ' ')}: {_shown(figures[name])}, above the {_shown(allowed)} allowed"


PROBE_MAY_ADD = 5.0  # per cent


def _probe_cost(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"What `{figures['probe']}` adds to a training of {figures['epochs']} epochs at depth {figures['depth']}.\n"
    yield from _table(
        ("seconds without, least", "with, least", "added %"),
        iter([(min(figures["seconds"]["without"]), min(figures["seconds"]["with"]), figures["added_per_cent"])]),
    )


def _probe_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["added_per_cent"] > PROBE_MAY_ADD:
        yield f"`{figures['probe']}` adds {figures['added_per_cent']:.2f} %, above the {PROBE_MAY_ADD:g} % that it may"


GPUS_BUSY = 0.95


def _cases(figures: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from ((name, each) for name, each in figures.items() if isinstance(each, dict))


def _schedule(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"Nothing is trained: plans and packs are those of a run, on {figures['gpus']} GPUs with a simulated clock.\n"
    columns = ("trials", "packs", "hours", "busy", "hours_of_the_longest_trial")
    yield from _table(
        ("study", "trials", "packs", "hours", "share of the time that GPUs train", "hours of the longest trial"),
        ((name, *(each[column] for column in columns)) for name, each in _cases(figures)),
    )


def _schedule_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, each in _cases(figures):
        if each["busy"] < GPUS_BUSY:
            yield f"{name}: GPUs train for {each['busy']:.0%} of the time, below the {GPUS_BUSY:.0%} aimed at"


# Search


def _contests(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for workers, each in _cases(figures):
        yield from ((workers, name, found) for name, found in _cases(each))


def _search(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"The best arm's distance to the best of all after {figures['arms']} arms, in points, mean of"
    yield f"{figures['seeds']} searches of a table of trained networks; `arms for the cost` is how many random arms the"
    yield "same time trains.\n"
    yield from _table(
        ("at once", "method", "distance", "arms for the cost", "against random search at equal cost", "p"),
        (
            (workers, name, found["regret"], found["random_arms"], found["worth"], found["p"])
            for workers, name, found in _contests(figures)
        ),
    )


def _search_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for workers, name, found in _contests(figures):
        if name != "random" and found["worth"] != "worth its cost":
            yield f"{name}, {workers}: {found['worth']} against random search at equal cost"


# The statistics


def _error_rates(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "Studies in which a claim was decided although nothing differs. `with its badge` says that more were than the"
    yield "bound allows, each marked on the page as resting on an assumption that this noise breaks.\n"
    yield from _table(
        ("case", "noise", "studies", "decided", "decided without a badge", "bound", "result"),
        (
            tuple(row[name] for name in ("case", "noise", "studies", "decided", "without_badge", "bound", "result"))
            for row in figures["rows"]
        ),
    )


def _error_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for row in figures["rows"]:
        if row["result"] != "holds":
            yield (
                f"{row['case']}, {row['noise']}: {row['decided']:.1%} wrongly decided "
                f"({row['without_badge']:.1%} without a badge), above {row['bound']:.1%}"
            )


def _coverage(figures: Mapping[str, Any]) -> Iterator[str]:
    yield "How often printed intervals of 95 % hold the truth.\n"
    names = ("interval", "noise", "n", "studies", "covered", "bound")
    yield from _table(names, (tuple(row[name] for name in names) for row in figures["coverage"]))
    yield "\nHow often claims are decided where a power is promised.\n"
    names = ("promise", "n", "studies", "promised", "found")
    yield from _table(names, (tuple(row[name] for name in names) for row in figures["power"]))


def _coverage_losses(figures: Mapping[str, Any]) -> Iterator[str]:
    for row in figures["coverage"]:
        if not row["holds"]:
            where = f"{row['interval']}, {row['noise']}, n={row['n']}"
            yield f"{where}: {row['covered']:.1%} covered, below {row['bound']:.1%}"
    for row in figures["power"]:
        if not row["holds"]:
            yield f"{row['promise']}, n={row['n']}: {row['found']:.1%}, below the {row['promised']:.0%} promised"


KINDS = {
    "training": Benchmark("Training", _training, _training_losses),
    "ladder": Benchmark("Means of going faster", _ladder, _ladder_losses),
    "overhead": Benchmark("The cost of a trial, beside Ray Tune", _overhead, _overhead_losses),
    "quickstart_vs_ray_tune": Benchmark("The quickstart, beside Ray Tune", _quickstart, _quickstart_losses),
    "schedule": Benchmark("How busy GPUs are kept", _schedule, _schedule_losses),
    "search": Benchmark("Search", _search, _search_losses),
    "report": Benchmark("The report of many trials", _report, _report_losses),
    "probe_cost": Benchmark("The cost of a probe", _probe_cost, _probe_losses),
    "error_rates": Benchmark("Wrong verdicts", _error_rates, _error_losses),
    "coverage": Benchmark("Intervals and power", _coverage, _coverage_losses),
}
"""By how the names of their files begin."""


def _kind(record: Record) -> Benchmark:
    for start, kind in KINDS.items():
        if record.name.startswith(start):
            return kind
    return Benchmark(record.name.replace("_", " ").capitalize(), _scalars, _nothing)
