"""The study file as typed objects: read once, every default filled in, every mistake named with its line."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from orchestrator.errors import UserError
from orchestrator.study_file.changes import with_changes
from orchestrator.study_file.references import with_level_names
from orchestrator.study_file.written import written_yaml
from orchestrator.study_file.yaml_source import YamlSource, read_yaml
from reports.analysis.settings import MOST_SEEDS, SEEDS, repeats_from
from search_spaces.errors import Key, SettingError, unknown

NAME = r"^[a-z0-9][a-z0-9-]*$"
LAST_SEED = 2**63 - 1
"""The databases hold no larger integer."""
KEPT = ("none", "last", "best", "all")
"""Which weights of a trial a study may keep."""
LEAST_PART = 0.0001
"""Ray counts processors and GPUs in steps of this size."""


def _number(low: float, high: int, above: bool = False) -> BeforeValidator:
    """Return the check of a number from `low`, or `above` it, to `high`, which stays a whole number if it is one."""
    right = f"must be a number {f'above {low} and at most' if above else f'from {low} to'} {high:,}"

    def check(value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{right}, not {value!r}")
        if not low <= value <= high or (above and value == low):
            raise ValueError(f"{right}, not {value!r}")
        return value

    return BeforeValidator(check)


class _Section(BaseModel):
    """A mapping of the study file: unknown keys are errors, and nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Looks(_Section):
    """Seeds that are added in blocks: the numbers of seeds at which undecided claims are looked at.

    Without looks it is `count` seeds, as many as by default. With `aa` the baseline arms are trained as often again,
    with seeds that no other arm has: what differs between the two is noise.
    """

    looks: Annotated[list[Annotated[int, Field(ge=2, le=MOST_SEEDS)]], Field(min_length=1)] | None = None
    count: Annotated[int, Field(ge=1, le=MOST_SEEDS)] | None = None
    aa: bool = False

    @field_validator("looks")
    @classmethod
    def _increasing(cls, looks: list[int] | None) -> list[int] | None:
        if looks is not None and any(later <= earlier for earlier, later in pairwise(looks)):
            raise ValueError(f"looks must increase, for instance [3, 5, 8, 12], not {looks}")
        return looks

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if self.looks is not None and self.count is not None:
            raise ValueError("looks and count are two ways to say how many seeds: keep one of them")
        return self

    @property
    def first(self) -> int:
        """Return how many seeds run without looking at any result."""
        return self.looks[0] if self.looks else self.count or SEEDS


class Budget(_Section):
    """What one run may use up before it ends by itself: trained trials, seconds of wall time, GPU-hours."""

    trials: Annotated[int, Field(ge=1)] | None = None
    wall: Annotated[int | float, _number(1, 1_000_000_000)] | None = None
    gpu_hours: Annotated[int | float, _number(0, 1_000_000_000, above=True)] | None = None


class Resources(_Section):
    """What one pack gets of the cluster, and how the study may use it.

    A pack trains up to `seeds_per_pack` seeds of one arm side by side, which takes about half the time of one after
    the other (docs/log.md); results then agree to rounding, with 1 they are those of a solo run bit for bit.
    `gpus` is a GPU or a part of one, of whose memory the pack then takes no more than that part. A trial that takes no
    step for `timeout` seconds hangs: its worker is ended and the trial tried again.
    """

    cpus: Annotated[int | float, _number(LEAST_PART, 100_000)] = 1
    gpus: Annotated[int | float, _number(0, 1)] = 0
    seeds_per_pack: Annotated[int, Field(ge=1, le=MOST_SEEDS)] = 4
    max_concurrent: Annotated[int, Field(ge=1)] | None = None
    checkpoint_seconds: Annotated[int | float, _number(0, 1_000_000_000)] = 10
    timeout: Annotated[int | float, _number(1, 1_000_000_000)] = 3600
    budget: Budget = Budget()

    @field_validator("gpus", mode="before")
    @classmethod
    def _one_or_a_part(cls, gpus: object) -> object:
        if isinstance(gpus, int | float) and gpus > 1:
            raise ValueError(f"a pack trains on one GPU (1) or on a part of one (0.5), not on {gpus}")
        if isinstance(gpus, int | float) and 0 < gpus < LEAST_PART:
            raise ValueError(f"a part of a GPU is at least {LEAST_PART}, not {gpus}")
        return gpus


def _kind(value: object) -> str | None:
    """Return which of the forms a setting may have this value is written in."""
    if isinstance(value, bool):
        return None
    forms = {int: "number", str: "word", list: "list", dict: "mapping", Looks: "mapping"}
    return forms.get(type(value))


Mapped = Annotated[dict[str, Any], Tag("mapping")]
NameOrMapping = Annotated[Annotated[str, Tag("word")] | Mapped, Discriminator(_kind)]
Levels = Annotated[Annotated[list[Any], Tag("list")] | Mapped, Discriminator(_kind)]
SeedCount = Annotated[int, Field(ge=1, le=MOST_SEEDS), Tag("number")]
SeedList = Annotated[list[Annotated[int, Field(ge=0, le=LAST_SEED)]], Field(max_length=MOST_SEEDS), Tag("list")]
Seeds = Annotated[SeedCount | SeedList | Annotated[Looks, Tag("mapping")], Discriminator(_kind)]


class StudyFile(_Section):
    """A study file. The mappings of other packages are checked by them, when the plan is made."""

    study: Annotated[str, Field(pattern=NAME, max_length=100)]
    question: str = ""
    data: NameOrMapping = "digits"
    network: dict[str, Any] = Field(default_factory=dict)
    factors: dict[str, Levels] = Field(default_factory=dict)
    design: NameOrMapping = "full_factorial"
    search: dict[str, Any] = Field(default_factory=dict)
    baseline: dict[str, Any] = Field(default_factory=dict)
    exclude: list[dict[str, Any]] = Field(default_factory=list)
    where: str | None = None
    match: NameOrMapping | None = None
    training: dict[str, Any] = Field(default_factory=dict)
    seeds: Seeds = SEEDS
    fail_above: Annotated[int | float, _number(0, 100, above=True)] | None = None
    claims: list[dict[str, Any]] = Field(default_factory=list)
    analysis: dict[str, Any] = Field(default_factory=dict)
    probes: list[Any] = Field(default_factory=list)
    keep: str | None = None
    resources: Resources = Resources()
    database: str | None = None

    @field_validator("seeds")
    @classmethod
    def _different(cls, seeds: int | list[int] | Looks) -> int | list[int] | Looks:
        if isinstance(seeds, list):
            if not seeds:
                raise ValueError("no seeds: a study needs at least one, for instance 3 or [0, 1, 2]")
            twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
            if twice:
                raise ValueError(f"seed {twice[0]} stands twice; every seed trains one network of each arm")
        return seeds

    @field_validator("keep")
    @classmethod
    def _known(cls, keep: str | None) -> str | None:
        if keep is not None and keep not in KEPT:
            raise ValueError(unknown("choice of weights", keep, KEPT).message)
        return keep

    @property
    def is_search(self) -> bool:
        """Whether a sampler chooses the arms."""
        name = self.design.get("name") if isinstance(self.design, dict) else self.design
        return name == "search"

    def first_seeds(self) -> tuple[int, ...]:
        """Return the seeds that run without looking at any result."""
        if isinstance(self.seeds, list):
            return tuple(self.seeds)
        return tuple(range(self.seeds.first if isinstance(self.seeds, Looks) else self.seeds))

    def repeated_seeds(self) -> tuple[int, ...]:
        """Return the seeds with which the baseline arms are trained once more, for the A/A check."""
        if not isinstance(self.seeds, Looks) or not self.seeds.aa:
            return ()
        start = repeats_from(self.seeds.model_dump())
        return tuple(range(start, start + self.seeds.first)) if start is not None else ()


class StudyConfig:
    """A study file with the place it came from, so that every part of the program can point at its lines."""

    def __init__(self, file: StudyFile, source: YamlSource, folder: Path) -> None:
        self.file = file
        self.source = source
        self.folder = folder

    def error(self, error: SettingError, *prefix: str | int) -> UserError:
        """Return the error of a part of the file, with file, line and the whole key."""
        return self.source.error(error.message, (*prefix, *error.key))


def read_study(given: Path | Mapping[str, Any], changes: Sequence[str] = ()) -> StudyConfig:
    """Read the study file at a path, or a dict of what stands in one, with ``PATH=VALUE`` changes on top.

    UserError for every mistake in it.
    """
    if isinstance(given, Path):
        source, folder = read_yaml(given), given.resolve().parent
    else:
        source, folder = written_yaml(given), Path.cwd()
    return check_study(with_changes(source, changes), folder)


def check_study(source: YamlSource, folder: Path) -> StudyConfig:
    """Turn a parsed file into typed objects; UserError names the first mistake."""
    given = with_level_names(source)
    source = given.with_data({key: value for key, value in given.data.items() if value is not None})
    try:
        file = StudyFile.model_validate(source.data)
    except ValidationError as error:
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        raise source.error(*_in_words(first)) from None
    return StudyConfig(file, source, folder)


def _in_words(error: ErrorDetails) -> tuple[str, Key]:
    """Say what pydantic found in the words of the study file, and where."""
    key = tuple(part for part in error["loc"] if part not in FORMS)
    kind, found = error["type"], error["input"]
    if kind == "extra_forbidden":
        return unknown("key", key[-1], SECTIONS.get(str(key[0]), StudyFile).model_fields).message, key
    if kind == "missing":
        return f'the key "{key[-1]}" is missing, for instance `{key[-1]}: my-study`', key
    if kind == "string_pattern_mismatch":
        return f"{found!r} is no name: lower-case letters, digits and dashes only, for instance my-study", key
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, "), key
    message = "this cannot stand here" if kind.startswith("union_tag") else error["msg"]
    hint = EXPECTED.get(str(key[0]))
    return f"{message} (found {found!r}){f'; write {hint}' if hint else ''}", key


SECTIONS: Mapping[str, type[BaseModel]] = {"resources": Resources, "budget": Budget, "seeds": Looks}
FORMS = ("number", "word", "list", "mapping")

EXPECTED: Mapping[str, str] = {
    "study": "a name such as `study: degradation`",
    "data": "a name such as `data: digits` or a mapping such as `data: {name: cifar10, root: ~/data}`",
    "network": "a mapping such as `network: {family: resnet_cifar, depth: 56}`",
    "factors": "a list of levels (`depth: [20, 56]`) or a mapping of bundles (`variant: {plain: {shortcut: none}}`)",
    "search": "a mapping such as `search: {sampler: tpe, arms: 30}`",
    "baseline": "a mapping such as `baseline: {variant: original}`",
    "exclude": "a list of mappings such as `exclude: [{depth: 110, variant: plain}]`",
    "match": "`match: params` or a mapping such as `match: {what: flops, tolerance: 0.02}`",
    "training": "a mapping such as `training: {recipe: quick, epochs: 10}`",
    "seeds": (
        "a number (`seeds: 3`), a list (`seeds: [0, 1, 2]`), `seeds: {looks: [3, 5, 8]}` "
        "or `seeds: {count: 3, aa: true}`"
    ),
    "probes": "a list such as `probes: [layer_response, {name: lesion, draws: 5}]`",
    "keep": "one of none, last, best and all, for instance `keep: last`",
    "claims": "a list such as `claims: [{id: plain-fails, says: plain fails}]`",
}
