"""The schema of a study file: every key with its form, bounds, unit, default and meaning.

`config.py` reads a file by it, `schema.py` turns it into a JSON Schema, and the reference page is made from that.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from orchestrator.records.study_name import IN_WORDS, STUDY_NAME
from orchestrator.study_file.folder_url import check_folder_url
from orchestrator.study_file.targets import (
    EveryData,
    data_fields,
    design_fields,
    match_fields,
    network_fields,
    probe_fields,
    search_fields,
    training_fields,
)
from reports.analysis.analysis_settings import SEEDS, read_looks, repeats_from
from reports.analysis.fields import MOST_SEEDS, AnalysisFields, ClaimFields, LookCounts
from search_spaces.annotations import LAST_SEED, About, Length, Named, Number, Pattern, Range, Rows
from search_spaces.errors import SettingError
from search_spaces.settings import as_plain

LEAST_PART = 0.0001
"""Ray counts processors and GPUs in steps of this size."""
SEEDS_EXAMPLE = "seeds: 5` or `seeds: [0, 1, 2, 3, 4]` or `seeds: {looks: [5, 8, 12]}"
Count = Annotated[int, Range(1, MOST_SEEDS)]
Seed = Annotated[int, Range(0, LAST_SEED)]


@dataclass(frozen=True, kw_only=True)
class Looks:
    """Seeds that are added in blocks: the numbers of seeds at which undecided claims are looked at.

    Without looks it is `count` seeds, as many as by default. With `aa` the baseline arms are trained as often again,
    with seeds that no other arm has: what differs between the two is noise. With `split` each seed draws its own test
    images, so that intervals cover the choice of them.
    """

    looks: Annotated[
        LookCounts | None,
        About("numbers of seeds at which undecided claims are looked at", "seeds", "looks: [5, 8, 12]"),
    ] = None
    count: Annotated[Count | None, About("how many seeds, where there are no looks", "seeds")] = None
    aa: Annotated[bool, About("train the baseline arms as often again: what differs between the two is noise")] = False
    split: Annotated[
        Literal["per_seed"] | None,
        About("let each seed draw its own test images, from all images of the data set", example="split: per_seed"),
    ] = None

    def __post_init__(self) -> None:
        if self.looks is not None:
            read_looks(self.looks, ("looks",))
        if self.looks is not None and self.count is not None:
            raise SettingError("looks and count are two ways to say how many seeds: keep one of them")

    @property
    def first(self) -> int:
        """Return how many seeds run without looking at any result."""
        return self.looks[0] if self.looks else self.count or SEEDS


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one run may use up before it ends by itself; the next run goes on."""

    trials: Annotated[int | None, Range(1, 10**9), About("trained trials", "trials")] = None
    wall: Annotated[Number | None, Range(1, 10**9), About("time on the clock", "seconds")] = None
    gpu_hours: Annotated[Number | None, Range(0, 10**9, open_low=True), About("time on GPUs", "GPU-hours")] = None


@dataclass(frozen=True, kw_only=True)
class Resources:
    """What one pack gets of the cluster, and how the study may use it.

    A pack trains up to `seeds_per_pack` seeds of one arm side by side, which takes about half the time of one after
    the other (docs/log.md); results then agree to rounding, with 1 they are those of a solo run bit for bit.
    """

    cpus: Annotated[Number, Range(LEAST_PART, 100_000), About("processor cores of a pack", "cores")] = 1
    gpus: Annotated[
        Number,
        Range(0, 1),
        About("a GPU or a part of one, of whose memory the pack takes no more than that part", "GPUs", "gpus: 0.25"),
    ] = 0
    mps: Annotated[
        Literal["never", "auto"],
        About(
            "whether workers that share a GPU start NVIDIA's MPS where a machine has it (auto), to compute side by "
            "side instead of in turns"
        ),
    ] = "auto"
    seeds_per_pack: Annotated[Count, About("seeds of one arm that train side by side", "seeds")] = 4
    max_concurrent: Annotated[int | None, Range(1, 1_000_000), About("packs that run at once; as many as fit")] = None
    checkpoint_seconds: Annotated[
        Number, Range(0, 1_000_000_000), About("how often a training is saved, to go on after a fault", "seconds")
    ] = 10

    checkpoints: Annotated[
        str | None,
        About(
            "a folder that every node reaches by its URL, for unfinished trainings; one beside the report",
            example="checkpoints: s3://bucket/checkpoints",
        ),
    ] = None
    timeout: Annotated[
        Number, Range(1, 10**9), About("a trial that takes no step for so long hangs and is tried again", "seconds")
    ] = 3600
    budget: Annotated[Budget, About("what one run may use up", example="budget: {gpu_hours: 40}")] = Budget()

    def __post_init__(self) -> None:
        if 0 < self.gpus < LEAST_PART:
            raise SettingError(f"a part of a GPU is at least {LEAST_PART}, not {self.gpus}", ("gpus",))
        if self.checkpoints is not None:
            check_folder_url(self.checkpoints, ("checkpoints",))


@dataclass(frozen=True, kw_only=True)
class StudyFile:
    """A study file, with the default of each key."""

    # What its mappings mean is read by `config.py`.

    study: Annotated[
        str,
        Pattern(STUDY_NAME, IN_WORDS),
        About("the key in the database and in paths", example="study: my-study"),
    ]
    question: Annotated[str, About("what the study asks, printed on top of the report")] = ""
    data: Annotated[
        str | dict[str, Any],
        Rows(lambda: Named(data_fields, others="package.module:loader", beside=EveryData)),
        About(
            "a data set's name, or a mapping with it and its settings", example="data: {name: cifar10, root: ~/data}"
        ),
    ] = "digits"
    network: Annotated[
        dict[str, Any],
        Rows(lambda: Named(network_fields, "family", others="package.module:builder", default="resnet_cifar")),
        About("the network that factors change", example="network: {family: resnet_cifar, depth: 56}"),
    ] = field(default_factory=dict)
    factors: Annotated[
        dict[str, Any],
        About(
            "what varies: a setting or its path with a list of levels, or a name with bundles of settings",
            example="factors: {depth: [20, 56], variant: {plain: {shortcut: none}, original: {}}}",
        ),
    ] = field(default_factory=dict)
    design: Annotated[
        str | dict[str, Any],
        Rows(lambda: Named(design_fields, given=frozenset({"request"}))),
        About("which arms of the space run", example="design: {name: random, arms: 20}"),
    ] = "full_factorial"
    search: Annotated[
        dict[str, Any],
        Rows(search_fields),
        About("how `design: search` chooses the arms", example="search: {sampler: tpe, arms: 30}"),
    ] = field(default_factory=dict)
    baseline: Annotated[
        dict[str, Any],
        About("the levels that the others are compared with", example="baseline: {variant: original}"),
    ] = field(default_factory=dict)
    exclude: Annotated[
        list[dict[str, Any]],
        About("arms that do not run", example="exclude: [{depth: 110, variant: plain}]"),
    ] = field(default_factory=list)
    where: Annotated[
        str | list[str] | None, About("bounds on what an arm's network costs", example="where: params <= 300k")
    ] = None
    match: Annotated[
        str | dict[str, Any] | None,
        Rows(match_fields),
        About("give every arm the baseline's cost by its width", example="match: {what: flops, tolerance: 0.02}"),
    ] = None
    training: Annotated[
        dict[str, Any],
        Rows(training_fields),
        About("how the networks are trained", example="training: {recipe: quick, epochs: 10}"),
    ] = field(default_factory=dict)
    seeds: Annotated[
        Count | Annotated[list[Seed], Length(1, MOST_SEEDS)] | Looks,
        About("how many seeds each arm is trained with, or which", example=SEEDS_EXAMPLE),
    ] = SEEDS
    fail_above: Annotated[
        Number | None, Range(0, 100, open_low=True), About("at or past this test error tables say fail", "per cent")
    ] = None
    claims: Annotated[
        list[dict[str, Any]],
        Rows(lambda: ClaimFields),
        About("sentences that become verdicts", example="claims: [{id: plain-fails, says: plain fails}]"),
    ] = field(default_factory=list)
    analysis: Annotated[
        dict[str, Any],
        Rows(lambda: AnalysisFields),
        About("how the claims are judged", example="analysis: {alpha: 0.05}"),
    ] = field(default_factory=dict)
    probes: Annotated[
        list[str | dict[str, Any]],
        Rows(lambda: Named(probe_fields, others="package.module:Class")),
        About("analyses of the trained networks", example="probes: [layer_response, {name: lesion, draws: 5}]"),
    ] = field(default_factory=list)
    keep: Annotated[
        Literal["none", "last", "best", "all"] | None,
        About("which weights of a trial are kept; by default the last ones where they are small", example="keep: last"),
    ] = None
    resources: Annotated[Resources, About("what one pack of seeds gets", example="resources: {cpus: 4, gpus: 1}")] = (
        Resources()
    )
    database: Annotated[
        str | None, About("the results database: a file or an SQLAlchemy URL", example="database: sqlite:///results.db")
    ] = None

    def __post_init__(self) -> None:
        if isinstance(self.seeds, list):
            seen: set[int] = set()
            for at, seed in enumerate(self.seeds):
                if seed in seen:
                    message = f"seed {seed} stands twice; every seed trains one network of each arm"
                    raise SettingError(message, ("seeds", at))
                seen.add(seed)

    @property
    def is_search(self) -> bool:
        """Whether a sampler chooses the arms."""
        name = self.design.get("name") if isinstance(self.design, dict) else self.design
        return name == "search"

    def as_dict(self) -> dict[str, Any]:
        """Return every key as plain values, to be stored with the study."""
        plain: dict[str, Any] = as_plain(self)
        if isinstance(self.seeds, Looks) and not self.splits_by_seed:
            del plain["seeds"]["split"]  # so that the plans of earlier programs stay what they are
        return plain

    @property
    def splits_by_seed(self) -> bool:
        """Whether each seed has test images of its own."""
        return isinstance(self.seeds, Looks) and self.seeds.split == "per_seed"

    def first_seeds(self) -> tuple[int, ...]:
        """Return the seeds that run without looking at any result."""
        if isinstance(self.seeds, list):
            return tuple(self.seeds)
        return tuple(range(self.seeds.first if isinstance(self.seeds, Looks) else self.seeds))

    def repeated_seeds(self) -> tuple[int, ...]:
        """Return the seeds with which the baseline arms are trained once more, for the A/A check."""
        if not isinstance(self.seeds, Looks) or not self.seeds.aa:
            return ()
        start = repeats_from(as_plain(self.seeds))
        return tuple(range(start, start + self.seeds.first)) if start is not None else ()
