"""Ready studies, one YAML file each, beside this module: list them, read one, run one or a group by its name."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.study_file.config import StudyConfig, check_study
from orchestrator.study_file.yaml_source import no_such_file, parse_yaml
from search_spaces import Space
from search_spaces.designs import arms as design_arms
from search_spaces.errors import unknown

_ENDING = ".yaml"
GROUPS: Mapping[str, tuple[str, ...]] = {
    "article": ("article-statements-digits", "article-designs-digits", "article-mechanism-digits"),
}
"""Ready studies that belong together; `orchestrate run` and `plan` take the name of a group."""


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
    names = (each.name for each in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(_ENDING) for name in names if name.endswith(_ENDING)))


def preset_text(name: str) -> str:
    """Return the study file of that name as it is; UserError, naming the nearest, when there is none."""
    if name in GROUPS:
        raise UserError(f"{name} is a group of ready studies, {', '.join(GROUPS[name])}: print one of them")
    if name not in preset_names():
        error = unknown("preset", name, (*preset_names(), *GROUPS))
        raise UserError(f"{error.message}; `orchestrate presets` says what each is")
    return files(__name__).joinpath(f"{name}{_ENDING}").read_text(encoding="utf-8")


def study_paths(file: Path) -> tuple[Path, ...]:
    """Return the study files that `file` means: itself, or without one the ready study or group so named.

    UserError, naming the nearest, where there is neither.
    """
    file = expanded(file)
    if _is_there(file):
        return (file,)
    names, ready = GROUPS.get(str(file), (str(file),)), preset_names()
    if not set(names) <= set(ready):
        raise no_such_file(file, (*ready, *GROUPS))
    return tuple(Path(str(files(__name__).joinpath(f"{name}{_ENDING}"))) for name in names)


def _is_there(file: Path) -> bool:
    """Whether there is a file of that name; one that cannot be looked at is for its reader to explain."""
    try:
        file.stat()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return True


def read_preset(name: str) -> Preset:
    """Return what a ready study is and how large; neither its data nor its networks are touched."""
    text = preset_text(name)
    config = check_study(parse_yaml(text, f"{name}{_ENDING}"), Path())
    file = config.file
    arms, trials = (config.search.arms, config.search.most_trials) if config.search else _size(config)
    data = file.data if isinstance(file.data, str) else str(file.data["name"])
    about = text.splitlines()[0].removeprefix("#").strip()
    return Preset(name, about, file.question, data, arms, trials)


def _size(config: StudyConfig) -> tuple[int, int]:
    """Return the number of arms, and of trials with the first seeds."""
    file, design = config.file, config.design
    base = {"data": file.data, "network": file.network, "training": file.training}
    space = Space(base, config.factors, complete=lambda raw: raw, exclude=tuple(file.exclude))
    count = len(design_arms(space, design.name, file.baseline, design.options))
    return count, count * len(file.first_seeds())
