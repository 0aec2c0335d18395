"""The reproducibility checklists of NeurIPS and ACL, answered from what the study has on record."""

from collections import Counter
from collections.abc import Iterator, Mapping

from reports.findings import Findings
from reports.sentences.parts import split
from reports.sentences.progress import training_time
from reports.sentences.search import selected_by
from reports.trials import State
from reports.wording import counted, listed, magnitude, seeds, shortened

UNKNOWN = "not on record"


def checklist(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return each question with its answer; what the record does not hold is said to be missing."""
    return tuple(_answers(findings))


def _answers(findings: Findings) -> Iterator[tuple[str, str]]:
    study, whole = findings.study, findings.whole
    yield "Version of the code", f"git {study.git}" if study.git else UNKNOWN
    yield "Training and evaluation code", study.command or UNKNOWN
    yield "Data and split", data_checksum(findings)
    params = [arm.params for arm in findings.arms or whole.arms if arm.params is not None]
    ends = dict.fromkeys((magnitude(min(params)), magnitude(max(params)))) if params else {}
    by_arm = ", by arm in tables/arms.csv" if findings.arms else ""
    yield "Parameters of each model", f"{' to '.join(ends)}{by_arm}" if ends else UNKNOWN
    differing = "; what differs between arms under Methods" if len(findings.arms) > 1 else ""
    yield "Hyper-parameters", f"every setting, defaults included, stands below{differing}"
    yield "Hyper-parameter search", _search(findings)
    yield "Determinism", determinism(findings)
    yield "Number of runs", _runs(findings)
    yield "Central tendency and variation", _spread(findings)
    failed = findings.count(State.FAILED)
    fails = counted(findings.fails(), "fail counted as a result", "fails counted as results")
    yield "Runs that failed", f"{fails}, {counted(failed, 'crash', 'crashes')}"
    devices = _devices(findings)
    if whole.is_replay:
        yield "Computing infrastructure", "that of the study on record"
    else:
        yield "Computing infrastructure", listed(devices) if devices else UNKNOWN
    yield "Training time", _time(findings)


def data_checksum(findings: Findings) -> str:
    """Return the data set's name, its split, and the checksum of images and labels, as far as they are on record."""
    data = findings.study.settings.get("data")
    name = data.get("name") if isinstance(data, Mapping) else data
    versions = findings.study.history.versions
    marks = versions[-1].plan.get("data") if versions else None
    checksum = f", checksum {listed(marks)}" if isinstance(marks, list) and marks else ""
    return f"{shortened(str(name), 60)}, {split(findings)}{checksum}" if name else UNKNOWN


def determinism(findings: Findings) -> str:
    """Say which algorithms the arms' settings let the devices use."""
    trainings = [arm.settings.get("training") for arm in findings.whole.arms]
    # Settings leave this one out where it has its default, true; without any there is nothing to tell.
    asked = {each.get("deterministic", True) for each in trainings if isinstance(each, Mapping) and each}
    devices = _devices(findings)
    if asked and devices and all(device.startswith("cpu") for device in devices):
        return "on a CPU trials repeat themselves bit for bit; training.deterministic concerns GPUs alone"
    if asked == {True}:
        return "on: cuDNN keeps to algorithms that repeat themselves bit for bit, and chooses none by timing"
    if asked == {False}:
        return "off: cuDNN may use algorithms that do not repeat themselves; it chooses none by timing"
    return "differs by arm: training.deterministic" if asked == {True, False} else UNKNOWN


def _devices(findings: Findings) -> list[str]:
    return list(dict.fromkeys(trial.device for trial in findings.whole.trials if trial.device))


def _runs(findings: Findings) -> str:
    """How many seeds an arm has a result of; while trials are still to end, beside the seeds that are planned."""
    if findings.whole.is_replay and not findings.asked:
        return "none: a replay trains nothing"
    counts = Counter(summary.n for summary in findings.summaries.values())
    if not any(counts):
        return "none finished"
    planned = seeds(findings.seeds)
    if len(counts) == 1:
        text = f"{next(iter(counts))} an arm"
    else:
        text = listed(f"{n or 'none'} for {counted(arms, 'arm')}" for n, arms in sorted(counts.items(), reverse=True))
    if findings.count(State.RUNNING, State.WAITING):
        return f"{text} so far; the seeds {planned} are planned"
    return f"{text} (seeds {planned})"


def _search(findings: Findings) -> str:
    if not findings.whole.search:
        return "none: no arm's settings were tuned by this study"
    return f"by {selected_by(findings.whole)}; sampler, space and every arm under The search"


def _spread(findings: Findings) -> str:
    if not any(summary.n_ok > 1 for summary in findings.summaries.values()):
        return "no arm has two seeds with a test error, hence no spread"
    return "mean ± 1 SD over the seeds, 95 % intervals, and each seed's error in data/trials.csv"


def _time(findings: Findings) -> str:
    times = [(trial.seconds or 0.0, trial.device or "") for trial in findings.whole.trials]
    total = training_time(findings)
    if total is None:
        return UNKNOWN
    if findings.whole.is_replay:
        return total
    gpu = sum(seconds for seconds, device in times if device and not device.startswith("cpu")) / 3600
    parts = [total + (f"; {gpu:.2f} GPU-hours" if gpu else "")]
    return "; ".join([*parts, f"energy {_energy(findings)}"])


def _energy(findings: Findings) -> str:
    """The devices' energy while the trials trained: those that trained at the same time on one each have the whole."""
    known = [trial.telemetry.get("energy_joules") for trial in findings.whole.trials if trial.state.is_outcome()]
    joules = [float(each) for each in known if isinstance(each, int | float)]
    if not joules:
        return UNKNOWN
    of = "" if len(joules) == len(known) else f" for {len(joules):,} of {counted(len(known), 'trial')}"
    return f"at most {sum(joules) / 3.6e6:.3g} kWh{of}, counting the whole device for each trial on it"
