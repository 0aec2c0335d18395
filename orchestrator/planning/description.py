"""Describe the networks of a study: each arm in words, stage by stage and as a block diagram; and its whole file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

import search_spaces
import trainers
from orchestrator.errors import UserError
from orchestrator.planning.plan import checked_arms, make_plan, study_space, with_defaults
from orchestrator.planning.probes import check_probes
from orchestrator.scheduling.arm_facts import data_info
from orchestrator.study_file.config import StudyConfig
from reports.sections.networks import Described, units_figure
from reports.trials import Scalar
from search_spaces import Arm, NetworkDescription, SettingError, canonical_json
from search_spaces.errors import with_key
from search_spaces.user_code import look_in

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class ArmDescription:
    """One arm: its network for its data's images, and the earlier arms that have the same network or the same unit."""

    arm: str
    levels: Mapping[str, Scalar]
    images: str
    network: NetworkDescription
    same_network: str | None
    same_unit: str | None

    def facts(self) -> dict[str, Any]:
        """Return everything as plain data, for JSON."""
        return {**vars(self), "network": self.network.as_mapping()}

    def text(self) -> str:
        """Return heading, words, table and diagram as plain text; what an earlier arm showed is named, not repeated."""
        heading = f"{self.arm}\n{'=' * len(self.arm)}"
        if self.same_network is not None:
            return f'{heading}\nThe same network as "{self.same_network}": what differs is how it is trained.'
        network = self.network if self.same_unit is None else replace(self.network, unit=None)
        parts = [heading, f"For images of {self.images}.", network.text()]
        if self.same_unit is not None:
            parts.append(f'\nThe unit is that of "{self.same_unit}".')
        return "\n".join(parts)


def print_description(console: Console, config: StudyConfig, svg: Path | None = None) -> None:
    """Print every arm's network, then the study file with every default filled in; UserError for mistakes in it.

    Into the folder `svg`, where one is given, goes the report's figure of the units as units.svg.
    """
    described, whole = describe_study(config)
    written = None if svg is None else write_units(described, svg)
    asks = f": {config.file.question}" if config.file.question else ""
    lines = [f"{config.file.study}{asks}", *(each.text() for each in described), _complete_file(whole)]
    console.print("\n\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if written is not None:
        console.print(f"\n{written}", markup=False, highlight=False, soft_wrap=True)


def describe_study(config: StudyConfig) -> tuple[tuple[ArmDescription, ...], Mapping[str, Any]]:
    """Return every arm's network, and the study file with every default filled in; UserError for mistakes in it."""
    look_in(config.folder)
    try:
        check_probes(config.file.probes, config.file.is_search)
        if config.file.is_search:
            plan = make_plan(config)
            arms, whole = [plan.arms[0].arm], plan.settings  # the baseline: what else there will be is not known yet
        else:
            space = study_space(config)
            arms, whole = checked_arms(config, space)[1], with_defaults(config, space)
        return describe_arms(arms), whole
    except SettingError as error:
        raise config.error(error) from None


def write_units(described: tuple[ArmDescription, ...], folder: Path) -> Path:
    """Write the distinct units of arms as one SVG file and return its path; UserError where that cannot be done."""
    figure = units_figure([Described(each.arm, each.levels, each.network.as_mapping()) for each in described])
    if figure is None:
        raise UserError("no unit of these networks is known that could be drawn")
    path = folder / f"{figure.name}.svg"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(figure.to_file(), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def describe_arms(arms: list[Arm]) -> tuple[ArmDescription, ...]:
    """Describe the networks of arms in their order, none of them built in memory."""
    networks: dict[str, str] = {}
    units: dict[str, str] = {}
    described = []
    for arm in arms:
        shape, classes = _images(arm)
        settings = arm.settings["network"]
        network = with_key("network", search_spaces.describe_network, settings, shape, classes)
        unit = network.unit.text() if network.unit is not None else ""
        first = networks.setdefault(canonical_json([settings, shape, classes]), arm.name)
        first_unit = units.setdefault(unit, arm.name) if unit else arm.name
        images = f"{'×'.join(map(str, shape))} values in {classes} classes"
        same = (None if name == arm.name else name for name in (first, first_unit))
        described.append(ArmDescription(arm.name, arm.levels, images, network, *same))
    return tuple(described)


def _images(arm: Arm) -> tuple[Shape, int]:
    """Return the shape of an arm's images and the number of classes, known or read from the data."""
    known = trainers.known_images(arm.settings["data"]["name"])
    if known is not None:
        return known
    info = data_info(arm)
    return info.input_shape, info.num_classes


def _complete_file(whole: Mapping[str, Any]) -> str:
    heading = "The study file with every default filled in (data, network and training before the factors change them)"
    return f"{heading}\n\n{yaml.safe_dump(dict(whole), sort_keys=False, allow_unicode=True, width=110)}"
