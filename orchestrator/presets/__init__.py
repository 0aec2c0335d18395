"""Ready studies, one YAML file each, beside this module: list them, read one."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.search.settings import parse_search
from orchestrator.study_file.config import StudyFile, check_study
from orchestrator.study_file.yaml_source import parse_yaml
from search_spaces import Space
from search_spaces.designs import arms as design_arms
from search_spaces.errors import unknown
from search_spaces.factors import parse_factors

_ENDING = ".yaml"


@dataclass(frozen=True)
class Preset:
    """A ready study: what it is (the first line of its file), what it asks, and how much it trains."""

    name: str
    about: str
    question: str
    data: str
    arms: int
    trials: int


def preset_names() -> tuple[str, ...]:
    """Return the names of the ready studies, each beside its version for a small machine."""
    found = (each.name for each in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in found if name.endswith(_ENDING)))


def preset_text(name: str) -> str:
    """Return the study file of that name as it is; UserError, naming the nearest, when there is none."""
    if name not in preset_names():
        raise UserError(f"{unknown('preset', name, preset_names()).message}; `orchestrate presets` says what each is")
    return files(__name__).joinpath(f"{name}{_ENDING}").read_text(encoding="utf-8")


def read_preset(name: str) -> Preset:
    """Return what a ready study is and how large; neither its data nor its networks are touched."""
    text = preset_text(name)
    file = check_study(parse_yaml(text, f"{name}{_ENDING}"), Path()).file
    arms, trials = _search_size(file) if file.is_search else _size(file)
    data = file.data if isinstance(file.data, str) else str(file.data["name"])
    about = text.splitlines()[0].removeprefix("#").strip()
    return Preset(name, about, file.question, data, arms, trials)


def _size(file: StudyFile) -> tuple[int, int]:
    """Return the number of arms, and of trials with the first seeds."""
    options = dict(file.design) if isinstance(file.design, dict) else {"name": file.design}
    design = options.pop("name")
    base = {"data": file.data, "network": file.network, "training": file.training}
    space = Space(base, parse_factors(file.factors), complete=lambda raw: raw, exclude=tuple(file.exclude))
    count = len(design_arms(space, design, file.baseline, options))
    return count, count * len(file.first_seeds())


def _search_size(file: StudyFile) -> tuple[int, int]:
    """Return how many arms are searched, and how many trials there are with the control and the confirmation."""
    settings = parse_search(file.search)
    return settings.arms, settings.most_trials
