"""Make the plan of a study: every arm and trial that its file asks for, checked before anything is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.planning.estimand import estimand_notes
from orchestrator.planning.probes import (
    as_entries,
    check_probes,
    complete_keep,
    probe_costs,
    probe_notes,
    unmeasured_claims,
)
from orchestrator.planning.start_weights import start_weight_notes
from orchestrator.records.environment import git_revision
from orchestrator.records.study_plan import PlannedArm, StudyPlan
from orchestrator.scheduling.arm_facts import (
    data_info,
    data_notes,
    network_facts,
    plan_arm,
    plan_trials,
)
from orchestrator.search.search_plan import plan_search
from orchestrator.study_file.arms import arm_space, default_network
from orchestrator.study_file.changes import refuse_without_effect
from orchestrator.study_file.config import StudyConfig
from orchestrator.study_file.sections import Resources, StudyFile
from reports.trials import Scalar
from reports.wording import counted
from search_spaces import (
    Arm,
    SettingError,
    Space,
    canonical_json,
    design_notes,
    keep_where,
    match_costs,
    resolve_baseline,
    settings_hash,
    unequal_costs,
)
from search_spaces.designs import arms as design_arms
from search_spaces.user_code import look_in
from trainers.settings.length import cut_short

UNEQUAL_SHARE = 0.05
MOST_TRIALS = 1_000_000
MATCH = "`match: params` or `match: flops` would adjust the widths until the arms cost the same"


def make_plan(config: StudyConfig, command: str | None = None) -> StudyPlan:
    """Plan the study of a file: its arms, the trials of its first seeds, and what each network costs.

    That of a search is a `SearchPlan`. Raises UserError with file and line for settings that no network, data set or
    training can have, for arms that would be the same network, and for claims that cannot be read.
    """
    file = config.file
    look_in(config.folder)  # where networks and probes of the user's own are looked for, as workers do
    try:
        probes = check_probes(file.probes, file.is_search)
    except SettingError as error:
        raise config.error(error) from None
    if file.is_search:
        search = plan_search(config)
        before_run = (*search.notes_before_run, *_sharing_a_gpu(file.resources))
        return replace(search, command=command, notes_before_run=before_run)
    try:
        space = study_space(config)
        baseline, arms = checked_arms(config, space)
        planned = tuple(plan_arm(arm) for arm in arms)
        _refuse_same_networks(planned)
        trials = tuple(trial for each in planned for trial in plan_trials(each.arm, _seeds(file, each.arm, baseline)))
        keep = complete_keep(file.keep, planned, probes)
        settings = {**with_defaults(config, space), "probes": as_entries(probes), "keep": keep}
        unequal = _unequal(planned, baseline)
        notes = (
            *design_notes(space, config.design.name, file.baseline),
            *unequal,
            *_warnings(planned),
            *_on_a_gpu(file.resources.gpus, planned),
            *probe_notes(planned, probes),
            *data_notes(planned),
            *estimand_notes(planned),
            *start_weight_notes(planned, baseline),
        )
        notes_before_run = (
            *_data_note(config),
            *_network_note(config),
            *_without_baseline(baseline, planned),
            *unmeasured_claims(file.study, config.claims, probes),
            *([MATCH] if unequal else []),
            *_sharing_a_gpu(file.resources),
            *probe_costs(planned, trials, probes, keep),
        )
    except SettingError as error:
        raise config.error(error) from None
    judged = {key: settings[key] for key in ("seeds", "fail_above", "claims", "analysis")}
    if judged["claims"]:
        judged["claims"] = [{key: each[key] for key in each if key != "title"} for each in judged["claims"]]
    return StudyPlan(
        name=file.study,
        question=file.question,
        source=config.source.text,
        settings=settings,
        factors=config.levels,
        baseline=baseline,
        fail_above=file.fail_above,
        arms=planned,
        trials=trials,
        plan_hash=settings_hash({"arms": [each.arm.id for each in planned], "judged": judged}),
        command=command,
        git=git_revision(config.folder),
        notes=notes,
        notes_before_run=notes_before_run,
        analysis=config.analysis,
        claims=config.claims,
    )


def _seeds(file: StudyFile, arm: Arm, baseline: Mapping[str, Scalar]) -> tuple[int, ...]:
    """Return the seeds of one arm; with an A/A check the baseline arms have twice as many."""
    is_baseline = baseline.items() <= arm.levels.items()
    return (*file.first_seeds(), *(file.repeated_seeds() if is_baseline else ()))


def _check_repetition(config: StudyConfig, baseline: Mapping[str, Scalar]) -> None:
    if config.file.repeated_seeds() and config.factors and not baseline:
        first = config.factors[0]
        example = f"`baseline: {{{first.name}: {first.levels[0].text}}}`"
        raise SettingError(f"the A/A check repeats the baseline: name one, for instance {example}", ("seeds", "aa"))


def study_space(config: StudyConfig) -> Space:
    """Return the space that the factors of a study file span over its settings."""
    return arm_space(config.file, config.factors)


def checked_arms(config: StudyConfig, space: Space) -> tuple[Mapping[str, Scalar], list[Arm]]:
    """Return the baseline and the arms that run: those of the design, matched in cost and filtered as the file asks.

    The arms are completed; their data sets need not be there unless costs matter. SettingError for what cannot be.
    """
    file, design = config.file, config.design
    refuse_without_effect(config.source, space.factors)
    baseline = resolve_baseline(space.factors, file.baseline, design.name)
    _check_repetition(config, baseline)
    arms = design_arms(space, design.name, file.baseline, design.options)
    if config.match is not None:
        arms = match_costs(space, arms, baseline, config.match, network_facts)
    if config.conditions:
        arms = keep_where(arms, config.conditions, network_facts)
    trials = len(arms) * len(file.first_seeds())
    if trials > MOST_TRIALS:
        raise SettingError(
            f"{len(arms):,} arms make {trials:,} trials, and a study has {MOST_TRIALS:,} at most", ("seeds",)
        )
    return baseline, arms


def _data_note(config: StudyConfig) -> list[str]:
    """Say which data are meant where the file names none."""
    named = {"data", "data.name"} & {path for factor in config.factors for path in factor.paths}
    if config.source.data.get("data") is not None or named:
        return []
    return [f"data: the file names none, so it is {config.file.data}; write `data: {config.file.data}` to say so"]


def _without_baseline(baseline: Mapping[str, Scalar], planned: Sequence[PlannedArm]) -> list[str]:
    """Say that no arm is left of a baseline, so that there is nothing to compare the others with."""
    if not baseline or any(baseline.items() <= each.arm.levels.items() for each in planned):
        return []
    levels = " ".join(f"{factor}={level}" for factor, level in baseline.items())
    return [f"baseline: no arm with {levels} is left, so that the others are compared with none: exclude fewer arms"]


def _network_note(config: StudyConfig) -> list[str]:
    """Say which network is meant where the file names none."""
    named = {"network", "network.family"} & {path for factor in config.factors for path in factor.paths}
    if config.file.network or named:
        return []
    network = default_network()
    return [
        f"network: the file names none, so it is {network['family']} with depth {network['depth']} and width "
        f"{network['width']}; write `network: {{family: {network['family']}}}` to say so"
    ]


def with_defaults(config: StudyConfig, space: Space) -> dict[str, Any]:
    """Return the whole study file with every default filled in: what is stored, and shown in the report."""
    whole: dict[str, Any] = config.file.as_dict()
    return {**whole, **space.complete(space.raw([]))}


def _refuse_same_networks(planned: Sequence[PlannedArm]) -> None:
    """Raise SettingError when two arms would train the same network in the same way on the same data.

    Networks of the user's own, which may differ in what is seen only later, are named in a note instead.
    """
    seen: dict[str, Arm] = {}
    for each in planned:
        arm = each.arm
        if ":" in str(arm.settings["network"]["family"]):
            continue
        text = canonical_json([each.graph, arm.settings["data"], arm.settings["training"]])
        if text in seen:
            levels = ", ".join(f"{factor}: {level}" for factor, level in arm.levels.items())
            raise SettingError(
                f'the arms "{seen[text].name}" and "{arm.name}" build the same network: '
                f"drop one of the levels, or exclude an arm, for instance `exclude: [{{{levels}}}]`",
                ("factors",),
            )
        seen[text] = arm


def _unequal(planned: Sequence[PlannedArm], baseline: Mapping[str, Scalar]) -> list[str]:
    """Name comparisons of unequal cost."""
    names = {each.arm.name: each for each in planned}
    by_levels = {canonical_json(dict(each.arm.levels)): each.arm.name for each in planned}
    compared = {}
    for name, each in names.items():
        against = by_levels.get(canonical_json({**each.arm.levels, **baseline}))
        if against is not None and against != name:
            compared[name] = against
    return [f"unequal: {gap.text}" for gap in unequal_costs(names, compared, UNEQUAL_SHARE)]


def _warnings(planned: Sequence[PlannedArm]) -> list[str]:
    """Name parameters that no gradient reaches, arms that compute the same, and trainings that are cut short."""
    warnings = [
        f'without gradient: {counted(len(unused), "parameter")} of "{each.arm.name}", for instance {unused[0]}'
        for each in planned
        if (unused := network_facts(each.arm).without_gradient)
    ]
    return [*warnings, *_equal_in_effect(planned), *_cut_short(planned)]


def _equal_in_effect(planned: Sequence[PlannedArm]) -> list[str]:
    """Name the arms whose networks compute the same, though they are spelt differently, and are trained the same."""
    groups: dict[str, list[str]] = {}
    for each in planned:
        settings = each.arm.settings
        text = canonical_json([network_facts(each.arm).effect, settings["data"], settings["training"]])
        groups.setdefault(text, []).append(f'"{each.arm.name}"')
    return [
        f"equal in effect: the networks of {' and '.join(names)} compute the same and are trained in the same way"
        for names in groups.values()
        if len(names) > 1
    ]


def _on_a_gpu(gpus: float, planned: Sequence[PlannedArm]) -> list[str]:
    """Say how networks compute on a GPU; nothing where none is asked for."""
    if not gpus:
        return []
    import torch  # takes seconds, and a study for CPUs does without it

    from trainers.step.precision import choose_numerics, in_words

    trainings = {canonical_json(each.arm.settings["training"]): each.arm.settings["training"] for each in planned}
    ways = dict.fromkeys(in_words(choose_numerics(each, torch.device("cuda"))) for each in trainings.values())
    return [f"on a GPU: networks compute in {way}" for way in ways]


def _sharing_a_gpu(resources: Resources) -> list[str]:
    """Say what it means that packs share a GPU; nothing where they do not."""
    if not 0 < resources.gpus < 1:
        return []
    from trainers.mps import CONTROL
    from trainers.process import CONTEXT  # which imports torch

    how = "take turns on it (mps: never), unless NVIDIA's MPS runs on its node already"
    if resources.mps == "auto":
        how = f"compute side by side where workers on Ray find NVIDIA's MPS (`{CONTROL}`) to start, else in turns"
    return [
        f"gpus: {resources.gpus:g}: packs that share a GPU {how}; of its part of the memory each process needs about "
        f"{CONTEXT / 2**20:.0f} MiB for itself"
    ]


def _cut_short(planned: Sequence[PlannedArm]) -> list[str]:
    """Name the arms whose training is too short for the schedule of its recipe."""
    told: dict[str, list[str]] = {}
    for each in planned:
        if reason := cut_short(each.arm.settings["training"], data_info(each.arm).train_size):
            told.setdefault(reason, []).append(f'"{each.arm.name}"')
    return [
        f"cut short: {'every arm' if len(names) == len(planned) else ', '.join(names)}: {reason}"
        for reason, names in told.items()
    ]
