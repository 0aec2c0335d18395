"""Methods in prose, written from the study's own settings and numbers, and what differs between the arms."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.analysis.registration import plan_differences
from reports.findings import Findings
from reports.metrics import PRIMARY
from reports.results import Study
from reports.safeguards import machine_sentences, noise_sentences, pack_sentences
from reports.sections.arm_settings import arm_settings, flat, in_words
from reports.sections.section import Section
from reports.sentences import said
from reports.sentences.statistics import STATISTICS, seeds_saved, seeds_so_far
from reports.tables import Column, Table
from reports.trials import State
from reports.wording import counted, duration, level, listed, magnitude, moment, seeds, shortened

MOST_ROWS = 60
_TOLD = (
    "recipe", "epochs", "iterations", "batch_size", "optimi", "lr", "momentum", "nesterov", "weight_decay", "schedule",
    "warm", "augment.crop", "augment.flip",
)  # fmt: skip
_WORDS = {
    "full_factorial": "a full factorial design",
    "one_at_a_time": "a one-at-a-time design",
    "leave_one_out": "a leave-one-out design",
    "add_one_in": "an add-one-in design",
    "path": "a path from the baseline, one change at a time",
    "fractional_factorial": "a fractional factorial design",
    "random": "a random sample of the grid",
    "search": "a search",
}


@dataclass(frozen=True)
class Methods:
    """Paragraphs, each with a short heading, and the table of what differs between arms."""

    paragraphs: tuple[tuple[str, str], ...]
    differing: Table
    by_arm: Table
    notes: tuple[str, ...]
    plan_notes: tuple[str, ...]


def build(findings: Findings) -> Section:
    """Build the methods."""
    table = _differing(findings)
    notes: tuple[str, ...] = ()
    if len(table.rows) > MOST_ROWS:
        notes = (f"The first {MOST_ROWS} of {len(table.rows):,} settings; study.json has them all.",)
    shown = Table(table.name, table.caption, table.columns, table.rows[:MOST_ROWS])
    by_arm = arm_settings(findings)
    paragraphs = (
        ("Design", _design(findings)),
        ("Data and training", _training(findings)),
        ("Measure", _measure(findings)),
        ("Statistics", said(findings, STATISTICS)),
        ("Claims", _claims(findings)),
        ("Noise floor", " ".join(noise_sentences(findings.study))),
        ("Packs", " ".join(pack_sentences(findings.study))),
        ("Machines", " ".join(machine_sentences(findings.study))),
        ("Fairness", _fairness(findings)),
    )
    return Section(
        "methods",
        "Methods",
        Methods(tuple((head, text) for head, text in paragraphs if text), shown, by_arm, notes, findings.study.notes),
        tables=(by_arm,) if by_arm.rows else (),
        embedded={"armSettings": _by_arm(by_arm)} if by_arm.rows else {},
    )


def _by_arm(table: Table) -> dict[str, Any]:
    """Return the settings by arm as the page's script reads them, the name of each arm once."""
    arms = list(dict.fromkeys(str(row[0]) for row in table.rows))
    places = {arm: at for at, arm in enumerate(arms)}
    return {"arms": arms, "rows": [[places[str(row[0])], *row[1:]] for row in table.rows]}


def _design(findings: Findings) -> str:
    study = findings.study
    factors = [
        f"{shortened(name, 40)} ({listed([shortened(level(each), 30) for each in levels], 10)})"
        for name, levels in study.factors.items()
    ]
    trials = counted(len(findings.asked), "trial")
    arms = counted(len(findings.arms), "arm")
    if not factors:
        return f"One arm was trained with {counted(len(findings.seeds), 'seed')} ({seeds(findings.seeds)})."
    text = f"The study varies {listed(factors)} in {_WORDS.get(study.design, 'a design')} of {arms}, each with "
    counts = sorted({len(mine) for arm in findings.arms if (mine := findings.trials.get(arm.name))})
    most = counted(len(findings.seeds), "seed")
    several = f"{counts[0]} to {most}" if counts and counts[0] < len(findings.seeds) else most
    text += f"{several} ({seeds(findings.seeds)}): {trials}. "
    if study.baseline:
        base = listed([f"{shortened(key, 40)} {shortened(level(value), 40)}" for key, value in study.baseline.items()])
        contexts = [factor for factor in study.factors if factor not in study.baseline]
        within = f" within each level of {listed([shortened(each, 40) for each in contexts])}" if contexts else ""
        text += f"The baseline is {base}; every other arm is compared with it{within}. "
    return text + "A seed fixes every source of randomness of its trial and is shared by all arms."


def _training(findings: Findings) -> str:
    settings = _common(findings)
    data, training = settings.get("data", {}), settings.get("training", {})
    if not isinstance(data, Mapping) or not isinstance(training, Mapping):
        return ""
    name = data.get("name")
    parts = [f"Data: {shortened(str(name), 60)}." if name else ""]
    told = {key: value for key, value in flat(training) if key.startswith(_TOLD) and _is_plain(value)}
    stated = [f"{key.replace('_', ' ').replace('.', ' ')} {in_words(value)}" for key, value in told.items()]
    if stated:
        parts.append(
            f"Training, the same in every arm: {listed(stated, 24)}; every other setting stands under Provenance."
        )
    length = findings.curve_length()
    if length:
        parts.append(f"The longest trial ran {counted(length, 'epoch')}.")
    times = [trial.seconds for trial in findings.asked if trial.seconds is not None and trial.state is State.COMPLETE]
    if times:
        ends = list(dict.fromkeys((duration(min(times)), duration(max(times)))))
        parts.append(f"A finished trial took {' to '.join(ends)}, {duration(sum(times))} in all.")
    return " ".join(filter(None, parts))


def _measure(findings: Findings) -> str:
    above = findings.study.fail_above
    text = f"The measure is the {PRIMARY.title} in {PRIMARY.unit_in_words} after the last epoch; "
    text += "no epoch is selected on the test set. "
    text += "A trial whose loss is not finite or explodes is stopped as diverged. "
    if above is not None:
        text += f"A trial that diverged, or ended above {above:g} {PRIMARY.unit} {PRIMARY.title}, is called a fail. "
    missing = findings.count(State.FAILED)
    text += "Trials that crashed were tried again with the same seed and otherwise count as missing"
    return text + (f" ({counted(missing, 'trial')})." if missing else ".")


def _claims(findings: Findings) -> str:
    """How the claims were judged, and what the looks saved."""
    study, verdicts = findings.study, findings.verdicts
    if not verdicts:
        return ""
    settings = study.analysis
    late = sum(bool(each.changes) for each in verdicts)
    declared = len(verdicts) - late
    text = "A claim is supported where the interval of its effect lies above its margin at a two-sided level of "
    text += f"{settings.alpha:g}, refuted where it lies below, and inconclusive otherwise. "
    if settings.family == "holm" and declared > 1:
        text += f"Holm's correction covers the {declared} claims that were declared before the first result. "
    if late:
        text += (
            f"{counted(late, 'claim')} post hoc, since something was fixed after it: each is judged among all claims "
            "that were ever made on its trials. "
        )
    text += plan_versions(study)
    if settings.looks:
        levels = listed([f"{each:.3g}" for each in settings.levels])
        text += f"The looks at {listed(settings.looks)} seeds spend levels of {levels}, which add up to the whole; "
        text += "p is adjusted for them. "
    return text + said(findings, (seeds_saved, seeds_so_far))


def plan_versions(study: Study) -> str:
    """Say which version of the plan is shown, and what differs from the first one."""
    versions = study.history.versions
    if len(versions) < 2:
        return ""
    first, last = versions[0], versions[-1]
    text = f"The plan is version {last.number}, of {moment(last.at)}; version 1 is of {moment(first.at)}"
    differing = plan_differences(first, last)
    return f"{text}, and differs in {listed(differing)}. " if differing else f"{text} and fixes the same. "


def _fairness(findings: Findings) -> str:
    params = [arm.params for arm in findings.arms if arm.params is not None]
    if len(params) < 2:
        return ""
    layout = findings.layout
    by_level = layout.runs_along_axis()
    groups = [layout.arms_at(position) for position in layout.positions] if by_level else [findings.arms]
    spread = 0.0
    for group in groups:
        here = [arm.params for arm in group if arm.params]
        if len(here) > 1:
            spread = max(spread, max(here) / min(here) - 1)
    where = f"At the same {layout.axis}" if by_level else "Between arms"
    low, high = min(params), max(params)
    text = f"Arms have {magnitude(low)} to {magnitude(high)} parameters. " if low != high else ""
    text += f"{where} the number of parameters " + (
        f"differs by up to {100 * spread:.1f} %. " if spread else "is the same. "
    )
    tuned = "No arm's settings were tuned by this study"
    if findings.whole.search:
        tuned = "The search chose every arm but the baseline, on its validation split alone"
    return f"{text}{tuned}; the table lists every setting in which arms differ."


def _common(findings: Findings) -> dict[str, Any]:
    """The settings that all arms share, nested as they are."""
    arms = findings.arms
    if not arms:
        return {}
    shared: dict[str, Any] = {}
    every = [dict(flat(arm.settings)) for arm in arms]
    for key, value in every[0].items():
        if all(each.get(key) == value for each in every):
            root, _, rest = key.partition(".")
            shared.setdefault(root, {})[rest or root] = value
    return shared


def _differing(findings: Findings) -> Table:
    every = [(arm, dict(flat(arm.settings))) for arm in findings.arms]
    keys = dict.fromkeys(key for _, settings in every for key in settings)
    rows = []
    for key in keys:
        groups: dict[str, int] = {}
        for _, settings in every:
            text = in_words(settings[key]) if key in settings else "not set"
            groups[text] = groups.get(text, 0) + 1
        if len(groups) > 1:
            values = [f"{shortened(text, 40)} ({counted(count, 'arm')})" for text, count in groups.items()]
            rows.append((key, listed(values, 8)))
    return Table(
        "settings",
        "Settings in which arms differ.",
        (Column("setting", "setting"), Column("values", "values")),
        tuple(rows),
    )


def _is_plain(value: Any) -> bool:
    return value is not None and isinstance(value, str | int | float | bool)
