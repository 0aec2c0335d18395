"""The study file as typed objects: read once, every default filled in, every mistake named with its line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.records.probe_metrics import probe_metrics
from orchestrator.study_file.arms import arm_space
from orchestrator.study_file.changes import with_changes
from orchestrator.study_file.references import with_level_names
from orchestrator.study_file.search.search_settings import SearchSettings, parse_search
from orchestrator.study_file.sections import StudyFile
from orchestrator.study_file.targets import training_fields
from orchestrator.study_file.written import written_yaml
from orchestrator.study_file.yaml_source import YamlSource, read_yaml
from reports.analysis.analysis_settings import AnalysisSettings, parse_analysis
from reports.analysis.claims import Claim, parse_claims
from reports.trials import Scalar
from search_spaces.constraints import Constraint, Match, parse_match, parse_where
from search_spaces.designs import arms as design_arms
from search_spaces.errors import SettingError, with_key
from search_spaces.factors import Factor, parse_factors
from search_spaces.settings import as_plain, known_keys, read_settings, settings_of
from search_spaces.user_code import look_in
from trainers.probes import complete_probes


@dataclass(frozen=True)
class Design:
    """Which arms run: the design's name and its options."""

    name: str
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StudyConfig:
    """A study file, what its parts mean, and the place it came from, so that errors can point at its lines.

    A search has `search` settings; its factors are ranges too, which only its own plan reads, and it has no claims.
    """

    file: StudyFile
    source: YamlSource
    folder: Path
    design: Design
    factors: tuple[Factor, ...]
    conditions: tuple[Constraint, ...]
    match: Match | None
    analysis: AnalysisSettings
    claims: tuple[Claim, ...]
    search: SearchSettings | None

    @property
    def levels(self) -> dict[str, tuple[Scalar, ...]]:
        """The levels of each factor."""
        return {factor.name: tuple(level.name for level in factor.levels) for factor in self.factors}

    def error(self, error: SettingError, *prefix: str | int) -> UserError:
        """Return the error of a part of the file, with file, line and the whole key."""
        return self.source.error(error.message, (*prefix, *error.key))


def read_study(given: Path | Mapping[str, Any], changes: Sequence[str] = ()) -> StudyConfig:
    """Read the study file at a path, or a dict of what stands in one, with ``PATH=VALUE`` changes on top.

    UserError for every mistake in it.
    """
    if isinstance(given, Path):
        file = expanded(given)
        source, folder = read_yaml(file), file.resolve().parent
    else:
        source, folder = written_yaml(given), Path.cwd()
    return check_study(with_changes(source, changes), folder)


def check_study(source: YamlSource, folder: Path) -> StudyConfig:
    """Turn a parsed file into typed objects; UserError names the first mistake."""
    given = with_level_names(source)
    source = given.with_data(_given(given.data))
    try:
        _refuse_parts(given.data)
        known_keys(given.data, StudyFile, "key")
        file = StudyFile(**read_settings(StudyFile, source.data, "key"))
        return _parsed(file, source, folder)
    except SettingError as error:
        raise source.error(error.message, error.key) from None


def _refuse_parts(data: Mapping[str, Any]) -> None:
    """Raise SettingError for a setting of the training that stands beside the keys, saying where it belongs."""
    known = {each.name for each in settings_of(StudyFile)}
    parts = {each.name for each in settings_of(training_fields())}
    for key in data:
        if key not in known and key in parts:
            raise SettingError(f'unknown key "{key}": did you mean "training.{key}"?', (key,))


def _parsed(file: StudyFile, source: YamlSource, folder: Path) -> StudyConfig:
    """Read what the parts of a file mean, each once; SettingError with the whole key."""
    design = _design(file.design)
    if not file.is_search and file.search:
        raise SettingError("only `design: search` takes a mapping `search:`", ("search",))
    factors = () if file.is_search else with_key("factors", parse_factors, file.factors)
    analysis = parse_analysis(file.analysis, as_plain(file.seeds))
    return StudyConfig(
        file,
        source,
        folder,
        design,
        factors,
        conditions=with_key("where", parse_where, file.where) if file.where is not None else (),
        match=with_key("match", parse_match, file.match) if file.match is not None else None,
        analysis=analysis,
        claims=() if file.is_search else _claims(file, design, factors, folder),
        search=_search(file),
    )


def _design(given: str | Mapping[str, Any]) -> Design:
    """Split ``design: name`` or ``design: {name: ..., option: ...}`` into the name and the options."""
    if isinstance(given, str):
        return Design(given, {})
    if given.get("name") is None:
        raise SettingError("a design mapping needs a name, for instance {name: random, arms: 20}", ("design",))
    return Design(str(given["name"]), {key: value for key, value in given.items() if key != "name"})


def _claims(file: StudyFile, design: Design, factors: tuple[Factor, ...], folder: Path) -> tuple[Claim, ...]:
    """Read the claims. One may be wrong because an arm that it speaks of is: then the error is that of the arm."""
    levels = {factor.name: tuple(level.name for level in factor.levels) for factor in factors}
    look_in(folder)  # where networks and probes of the user's own are looked for
    probes = with_key("probes", complete_probes, file.probes) if file.claims else ()
    try:
        return with_key("claims", parse_claims, file.claims, levels, probe_metrics(probes), on_record=False)
    except SettingError:
        design_arms(arm_space(file, factors), design.name, file.baseline, design.options)
        raise


def _search(file: StudyFile) -> SearchSettings | None:
    if not file.is_search:
        return None
    if not file.search:
        raise SettingError("design: search needs a mapping `search:`, for instance `search: {arms: 30}`", ("design",))
    return with_key("search", parse_search, file.search)


def _given(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping without what is null, which counts as absent."""
    return {key: value for key, value in mapping.items() if value is not None}
