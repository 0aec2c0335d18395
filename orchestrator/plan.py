"""Make the plan of a study: every arm and trial that its file asks for, checked before anything is trained."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ParamSpec, TypeVar

import search_spaces
import trainers
from orchestrator.config import StudyConfig
from orchestrator.environment import git_revision
from orchestrator.study_plan import PlannedArm, PlannedTrial, StudyPlan
from reports.analysis.claims import parse_claims
from reports.analysis.settings import parse_analysis
from reports.results import Scalar
from search_spaces import Arm, Space
from search_spaces.arm import canonical_json, settings_hash
from search_spaces.designs import arms as design_arms
from search_spaces.designs import resolve_baseline
from search_spaces.errors import SettingError
from search_spaces.factors import Factor, parse_factors

P = ParamSpec("P")
T = TypeVar("T")


def make_plan(config: StudyConfig, command: str | None = None) -> StudyPlan:
    """Plan the study of a file: its arms, the trials of its first seeds, and what each network costs.

    Raises UserError with file and line for settings that no network, data set or training can have, for arms that
    would be the same network, and for claims that cannot be read.
    """
    file = config.file
    try:
        space = study_space(config)
        design, options = _design(file.design)
        baseline = resolve_baseline(space.factors, file.baseline, design)
        planned = tuple(plan_arm(arm) for arm in design_arms(space, design, file.baseline, options))
        _refuse_same_networks(planned)
        factors = _level_names(space.factors)
        with_key("claims", parse_claims, file.claims, factors)
        parse_analysis(file.analysis, config.source.data.get("seeds"))
        settings = _with_defaults(config, space)
    except SettingError as error:
        raise config.error(error) from None
    judged = {key: settings[key] for key in ("seeds", "fail_above", "claims", "analysis")}
    return StudyPlan(
        name=file.study,
        question=file.question,
        source=config.source.text,
        settings=settings,
        factors=factors,
        baseline=baseline,
        fail_above=file.fail_above,
        arms=planned,
        trials=tuple(trial for each in planned for trial in plan_trials(each.arm, file.first_seeds())),
        plan_hash=settings_hash({"arms": [each.arm.id for each in planned], "judged": judged}),
        command=command,
        git=git_revision(config.folder),
    )


def study_space(config: StudyConfig) -> Space:
    """Return the space that the factors of a study file span over its settings."""
    file = config.file
    return Space(
        base={"data": file.data, "network": file.network, "training": file.training},
        factors=with_key("factors", parse_factors, file.factors),
        complete=complete_settings,
        cosmetic=trainers.COSMETIC_SETTINGS,
        exclude=tuple(file.exclude),
    )


def complete_settings(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Validate the three parts of an arm's settings and fill every default in."""
    data = with_key("data", trainers.complete_data, raw["data"])
    network = with_key("network", search_spaces.complete_network, raw["network"])
    training = with_key("training", trainers.complete_training, raw["training"], data)
    return {"data": data, "network": network, "training": training}


def plan_arm(arm: Arm) -> PlannedArm:
    """Build the arm's network without memory for it, and note its parameters, multiply-adds and graph."""
    info = data_info(arm)
    network = arm.settings["network"]
    known = with_key("network", search_spaces.complexity, network, info.input_shape, info.num_classes)
    return PlannedArm(arm, known.params, known.flops, known.graph)


def plan_trials(arm: Arm, seeds: Iterable[int]) -> tuple[PlannedTrial, ...]:
    """Return the trials of one arm; their ids hash settings, data and seed, so that every study can share them."""
    fingerprint = data_info(arm).fingerprint
    return tuple(
        PlannedTrial(
            id=settings_hash({**arm.settings, "fingerprint": fingerprint, "seed": seed}, trainers.COSMETIC_SETTINGS),
            arm=arm,
            seed=seed,
            fingerprint=fingerprint,
        )
        for seed in seeds
    )


def trial_images(arm: Arm) -> int:
    """Return how many images a trial of this arm trains on, counting each as often as it comes."""
    training = arm.settings["training"]
    if training["iterations"] is not None:
        return int(training["iterations"] * training["batch_size"])
    return int(training["epochs"] * data_info(arm).train_size)


def trial_epochs(arm: Arm) -> int:
    """Return how many epochs a trial of this arm takes; the last one may be a part."""
    return math.ceil(trial_images(arm) / data_info(arm).train_size)


def trial_cost(planned: PlannedArm) -> float:
    """Return the multiply-adds of one trial of this arm: forward and backward passes over all its images."""
    return 3.0 * planned.flops * trial_images(planned.arm)


def with_key(key: str, check: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `check` on one part of the study file, so that its errors carry the part's key in front."""
    try:
        return check(*args, **kwargs)
    except SettingError as error:
        raise error.under(key) from None


def data_info(arm: Arm) -> trainers.DataInfo:
    """Return shape, size and fingerprint of the data that an arm trains on; read once a process."""
    return _inspect(canonical_json(arm.settings["data"]))


@cache
def _inspect(data: str) -> trainers.DataInfo:
    return with_key("data", trainers.inspect_data, json.loads(data))


def _design(design: str | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Split ``design: name`` or ``design: {name: ..., option: ...}`` into the name and the options."""
    if isinstance(design, str):
        return design, {}
    if "name" not in design:
        raise SettingError('a design mapping needs a "name", for instance {name: random, arms: 20}', ("design",))
    return str(design["name"]), {key: value for key, value in design.items() if key != "name"}


def _level_names(factors: tuple[Factor, ...]) -> dict[str, tuple[Scalar, ...]]:
    return {factor.name: tuple(level.name for level in factor.levels) for factor in factors}


def _with_defaults(config: StudyConfig, space: Space) -> dict[str, Any]:
    """Return the whole study file with every default filled in: what is stored, and shown in the report."""
    whole: dict[str, Any] = config.file.model_dump(mode="json")
    return {**whole, **complete_settings(space.raw([]))}


def _refuse_same_networks(planned: tuple[PlannedArm, ...]) -> None:
    """Raise SettingError when two arms would train the same network in the same way on the same data."""
    seen: dict[str, Arm] = {}
    for each in planned:
        arm = each.arm
        text = canonical_json([each.graph, arm.settings["data"], arm.settings["training"]])
        if text in seen:
            raise SettingError(
                f'the arms "{seen[text].name}" and "{arm.name}" build the same network: '
                f"drop one of the levels, or exclude an arm, for instance `exclude: [{{{_exclude(arm)}}}]`",
                ("factors",),
            )
        seen[text] = arm


def _exclude(arm: Arm) -> str:
    return ", ".join(f"{factor}: {level}" for factor, level in arm.levels.items())
