"""What the section on methods says: the design, data and training, the measure, how claims are judged, fairness."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from reports.analysis.outliers import LEAST_BY_T
from reports.analysis.registration import plan_differences
from reports.analysis.search import searched
from reports.findings import Findings
from reports.metrics import PRIMARY, find_metric
from reports.sentences.claims import fewest_by_t
from reports.sentences.parts import split
from reports.sentences.search import selected_by
from reports.sentences.training import shared, training
from reports.trials import Scalar, State
from reports.wording import counted, duration, level, listed, magnitude, moment, seeds, shortened

_DESIGNS = {
    "full_factorial": "a full factorial design",
    "one_at_a_time": "a one-at-a-time design",
    "leave_one_out": "a leave-one-out design",
    "add_one_in": "an add-one-in design",
    "path": "a path from the baseline, one change at a time",
    "fractional_factorial": "a fractional factorial design",
    "random": "a random sample of the grid",
    "search": "a search",
}

ARM_SETTINGS = "The settings in which each arm differs from the baseline that it is compared with."

# ---- design ----


def one_arm(findings: Findings) -> str | None:
    """Say that nothing varies; nothing where a factor does."""
    if findings.study.factors:
        return None
    return f"One arm was trained with {counted(len(findings.seeds), 'seed')} ({seeds(findings.seeds)})."


def design(findings: Findings) -> str | None:
    """Name the factors, the design and its size; nothing without a factor."""
    study = findings.study
    factors = [f"{shortened(name, 40)}{_levels(findings, levels)}" for name, levels in study.factors.items()]
    if not factors:
        return None
    text = f"The study varies {listed(factors)} in {_size(findings)}"
    if not findings.asked:
        return f"{text}."
    counts = sorted({len(mine) for arm in findings.arms if (mine := findings.trials.get(arm.name))})
    most = counted(len(findings.seeds), "seed")
    several = f"{counts[0]} to {most}" if counts and counts[0] < len(findings.seeds) else most
    return f"{text}, each with {several} ({seeds(findings.seeds)}): {counted(len(findings.asked), 'trial')}."


def searching(findings: Findings) -> str | None:
    """Say how a search chose its arms: its sampler, by what, and what it stopped early; nothing for other designs."""
    if not findings.whole.search:
        return None
    settings = findings.whole.search["settings"]
    text = f"The sampler {settings['sampler']['name']} proposed them, and they were selected by"
    return f"{text} {selected_by(findings.whole)}; these images were held out of their training{_stopping(settings)}."


def _stopping(settings: Mapping[str, Any]) -> str:
    scheduler = settings.get("scheduler", {"name": "none"})
    if scheduler["name"] == "none":
        return ""
    arguments = ", ".join(f"{key} {value}" for key, value in scheduler.items() if key != "name")
    return f"; {scheduler['name']}{f' ({arguments})' if arguments else ''} stopped arms early"


def replay(findings: Findings) -> str | None:
    """Say what stands in for training in a replay; nothing where trials were trained."""
    if not findings.whole.is_replay:
        return None
    return (
        "This is a replay: nothing was trained. Every curve and every time is that of a finished study of the same "
        "settings, told on a simulated clock."
    )


def _levels(findings: Findings, levels: Sequence[Scalar]) -> str:
    """Return the levels of a factor in brackets; nothing of a search, whose confirmed arms have but some of them."""
    if findings.whole.search:
        return ""
    return f" ({listed([shortened(level(each), 30) for each in levels], 10)})"


def _size(findings: Findings) -> str:
    """Name the design and how many arms it has: of a search those that it tried, of a grid with gaps all its cells."""
    study = findings.study
    arms, tried = len(findings.arms), len(searched(findings.whole))
    if tried:
        confirmed = f"; {arms:,} {'was' if arms == 1 else 'were'} confirmed" if arms else ""
        return f"a search, which tried {counted(tried, 'arm')}{confirmed}"
    name = _DESIGNS.get(study.design, "a design")
    cells = prod(map(len, study.factors.values()))
    if study.design == "full_factorial" and arms < cells:
        return f"{arms:,} of the {cells:,} combinations of {name}"
    return f"{name} of {counted(arms, 'arm')}"


def baseline(findings: Findings) -> str | None:
    """Name the baseline and what is compared with it; nothing without one."""
    study = findings.study
    if not study.factors or not study.baseline:
        return None
    base = listed([f"{shortened(key, 40)} {shortened(level(value), 40)}" for key, value in study.baseline.items()])
    if not findings.asked:
        return f"The baseline is {base}."
    contexts = [factor for factor in study.factors if factor not in study.baseline]
    within = f" within each level of {listed([shortened(each, 40) for each in contexts])}" if contexts else ""
    return f"The baseline is {base}; every other arm is compared with it{within}."


def shared_seeds(findings: Findings) -> str | None:
    """Say what a seed fixes; nothing where no arms are compared."""
    if not findings.study.factors or not findings.asked:
        return None
    return "A seed fixes every source of randomness of its trial and is shared by all arms."


# ---- data and training ----


def data(findings: Findings) -> str | None:
    """Name the data set where all arms share it, and the sizes of its split."""
    name = shared(findings, "data").get("name")
    return f"Data: {shortened(str(name), 60)}, {split(findings)}." if name else None


def longest(findings: Findings) -> str | None:
    """Tell the epochs of the longest trial; nothing before the first epoch."""
    length = findings.curve_length()
    return f"The longest trial ran {counted(length, 'epoch')}." if length else None


def times(findings: Findings) -> str | None:
    """Tell how long finished trials took; nothing before the first."""
    known = [trial.seconds for trial in findings.asked if trial.seconds is not None and trial.state is State.COMPLETE]
    if not known:
        return None
    ends = list(dict.fromkeys((duration(min(known)), duration(max(known)))))
    return f"A finished trial took {' to '.join(ends)}, {duration(sum(known))} in all."


# ---- measure ----


def measure(findings: Findings) -> str | None:
    """Say what is measured, and that no epoch is chosen by it; nothing where nothing is trained."""
    if not findings.asked:
        return None
    return (
        f"The measure is the {PRIMARY.title} in {PRIMARY.unit_in_words} after the last epoch; "
        "no epoch is selected on the test set."
    )


def other_metrics(findings: Findings) -> str | None:
    """Name the claims that are judged on another metric; nothing where all are on the measure."""
    by_metric: dict[str, list[str]] = {}
    for each in findings.verdicts:
        if each.claim.metric != PRIMARY.name:
            title = find_metric(each.claim.metric, findings.study.metrics).title
            by_metric.setdefault(title, []).append(shortened(each.id, 40))
    if not by_metric:
        return None
    told = [f"{shortened(title)} ({listed(names)})" for title, names in by_metric.items()]
    return f"Claims that name another metric are judged on that: {listed(told)}."


def divergence(findings: Findings) -> str | None:
    """Say when a trial is stopped; nothing where nothing is trained."""
    if not findings.asked:
        return None
    limit = shared(findings, "training").get("diverged_above")
    above = f"averages more than {limit:,g} over an epoch" if isinstance(limit, int | float) else "explodes"
    return f"A trial whose training loss is not finite or {above} is stopped as diverged."


def fail_rule(findings: Findings) -> str | None:
    """Say what a fail is, where the study names a limit."""
    above = findings.study.fail_above
    if above is None:
        return None
    return f"A trial that diverged, or ended above {above:g} {PRIMARY.unit} {PRIMARY.title}, is called a fail."


def crashes(findings: Findings) -> str | None:
    """Say what becomes of trials that crash, and how many there are; nothing where nothing is trained."""
    if not findings.asked:
        return None
    missing = findings.count(State.FAILED)
    text = "Trials that crashed were tried again with the same seed and, failing again, count as missing"
    return f"{text} ({counted(missing, 'trial')})." if missing else f"{text}."


# ---- claims ----


def verdict_rule(findings: Findings) -> str | None:
    """Say when a claim is supported or refuted; nothing without claims."""
    if not findings.verdicts:
        return None
    relations = {each.claim.statement.relation for each in findings.verdicts}
    told = {"plain": "above its margin", "==": "within its margin on both sides", "fails": "on its side of the rate"}
    kinds = ("for a claim with < or > or a trend", "for an equality", "for a claim on fails")
    held = {relation if relation in told else "plain" for relation in relations}
    sides = [
        side if len(held) == 1 else f"{side} {kind}"
        for (name, side), kind in zip(told.items(), kinds, strict=True)
        if name in held
    ]
    return (
        "A claim is supported where the whole interval of its effect, at a two-sided level of "
        f"{findings.study.analysis.alpha:g}, lies {', or '.join(sides)}; it is refuted where the whole interval lies "
        "outside of that, and inconclusive otherwise."
    )


def few_seeds(findings: Findings) -> str | None:
    """Say what else must agree where a claim has few seeds; nothing where none has."""
    fewest = fewest_by_t(findings.verdicts)
    if fewest is None or fewest >= LEAST_BY_T:
        return None
    return (
        f"Below {LEAST_BY_T} seeds Student's interval decides by itself only what rare outliers could not undo; "
        f"elsewhere the exact sign flips must agree, and with {counted(fewest, 'seed')} their p is never below "
        f"{2 * 0.5**fewest:g}."
    )


def by_signs(findings: Findings) -> str | None:
    """Say where an exact sign test stands in for the interval; nothing where it does nowhere."""
    if not any(each.test == "sign" for verdict in findings.verdicts for each in verdict.contexts):
        return None
    return (
        "Where seeds fail, the differences have no spread, or the claim asks for it, an exact sign test decides, in "
        "which a fail ranks behind every number."
    )


def contexts(findings: Findings) -> str | None:
    """Say how a claim over several contexts is decided, by its kind; nothing without one."""
    kinds = {each.claim.over for each in findings.verdicts if len(each.contexts) > 1}
    texts = [_OVER[kind] for kind in ("every", "any") if kind in kinds]
    return " ".join(texts) or None


_OVER = {
    "every": "A claim over every context is supported where each context supports it, and refuted where one "
    "refutes it at the level divided by their number.",
    "any": "A claim over any context is supported where one context supports it at the level divided by their number, "
    "and refuted where each refutes it.",
}


def family(findings: Findings) -> str | None:
    """Say which claims Holm's correction covers; nothing where it covers none or one."""
    declared = len(findings.verdicts) - _late(findings)
    if findings.study.analysis.family != "holm" or declared < 2:
        return None
    return f"Holm's correction covers the {declared} claims that were declared before the first result."


def post_hoc(findings: Findings) -> str | None:
    """Say how claims are judged that were fixed after the first result; nothing without one."""
    late = _late(findings)
    if not late:
        return None
    return (
        f"{counted(late, 'claim')} post hoc, since something was fixed after it: each is judged among all claims "
        "that were ever made on its trials."
    )


def _late(findings: Findings) -> int:
    return sum(bool(each.changes) for each in findings.verdicts)


def plan_versions(findings: Findings) -> str | None:
    """Say which version of the plan is shown, and what differs from the first; nothing without claims or with one."""
    versions = findings.study.history.versions
    if len(versions) < 2 or not findings.verdicts:
        return None
    first, last = versions[0], versions[-1]
    text = f"The plan is version {last.number}, of {moment(last.at)}; version 1 is of {moment(first.at)}"
    differing = plan_differences(first, last)
    return f"{text}, and differs in {listed(differing)}." if differing else f"{text} and fixes the same."


def looks(findings: Findings) -> str | None:
    """Say at how many seeds claims are judged and at which levels; nothing for a study without looks or claims."""
    settings = findings.study.analysis
    if not settings.looks or not findings.verdicts:
        return None
    levels = listed([f"{each:.3g}" for each in settings.levels])
    return (
        f"The looks at {listed(settings.looks)} seeds spend levels of {levels}, which add up to the whole; "
        "p is adjusted for them."
    )


# ---- fairness ----


def sizes(findings: Findings) -> str | None:
    """Tell the least and the most parameters of an arm; nothing where all have as many or fewer than two are known."""
    params = _params(findings)
    if len(params) < 2 or min(params) == max(params):
        return None
    return f"Arms have {magnitude(min(params))} to {magnitude(max(params))} parameters."


def size_spread(findings: Findings) -> str | None:
    """Say by how much sizes differ at one level of the axis, or between all arms where none has several."""
    if len(_params(findings)) < 2:
        return None
    layout = findings.layout
    by_level = layout.runs_along_axis()
    groups = [layout.arms_at(position) for position in layout.positions] if by_level else [findings.arms]
    here = [[arm.params for arm in group if arm.params] for group in groups]
    spread = max((max(each) / min(each) - 1 for each in here if len(each) > 1), default=0.0)
    where = f"At the same {layout.axis}" if by_level else "Between arms"
    if not spread:
        return f"{where} the number of parameters is the same."
    most = f"{100 * spread:.1f} %" if spread < 1 else f"a factor of {1 + spread:.3g}"
    return f"{where} the number of parameters differs by up to {most}."


def tuning(findings: Findings) -> str | None:
    """Say what was tuned, and where the settings stand; nothing where fewer than two sizes are known."""
    if len(_params(findings)) < 2:
        return None
    tuned = "No arm's settings were tuned by this study"
    if findings.whole.search:
        tuned = f"The search chose every arm but the baseline, by {selected_by(findings.whole)}"
    return f"{tuned}; the table lists every setting in which arms differ."


def _params(findings: Findings) -> Sequence[int]:
    return [arm.params for arm in findings.arms if arm.params is not None]


DESIGN = (one_arm, design, searching, replay, baseline, shared_seeds)
TRAINING = (data, training, longest, times)
MEASURE = (measure, other_metrics, divergence, fail_rule, crashes)
CLAIMS = (verdict_rule, few_seeds, by_signs, contexts, family, post_hoc, plan_versions, looks)
FAIRNESS = (sizes, size_spread, tuning)

SENTENCES: dict[str, Callable[[Findings], str | None]] = {
    f"methods.{sentence.__name__}": sentence for sentence in (*DESIGN, *TRAINING, *MEASURE, *CLAIMS, *FAIRNESS)
}
