"""The ready studies: each can be planned, states claims that can be read, and names published rows that exist."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from orchestrator.errors import UserError
from orchestrator.planning.plan import checked_arms, make_plan, study_space
from orchestrator.presets import GROUPS, preset_names, preset_text, read_preset, study_paths
from orchestrator.study_file.arms import complete_settings
from orchestrator.study_file.config import StudyConfig, check_study, read_study
from orchestrator.study_file.yaml_source import parse_yaml
from reports.analysis.claims import Claim, parse_claims
from reports.analysis.prospects import prospects
from reports.analysis.published import parse_statistic
from reports.literature import find_published
from search_spaces import parse_factors


def config(name: str) -> StudyConfig:
    return check_study(parse_yaml(preset_text(name), f"{name}.yaml"), Path())


NAMES = preset_names()
DIGITS = [name for name in NAMES if name.endswith("-digits")]
PAPERS = [
    "deep-residual-learning-table-6",
    "degradation",
    "densenet",
    "downsampling-options",
    "highway-vs-residual",
    "identity-mappings-table-1",
    "identity-mappings-table-2",
    "identity-mappings-table-3",
]
STUDIES = [name for name in NAMES if not config(name).file.is_search]


def claims(name: str) -> tuple[Claim, ...]:
    file = config(name).file
    return parse_claims(
        file.claims, {each.name: tuple(level.name for level in each.levels) for each in parse_factors(file.factors)}
    )


@pytest.fixture(scope="module")
def cifar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with both CIFAR data sets in their real format, twenty images a file."""
    root = tmp_path_factory.mktemp("cifar")
    pixels = np.random.default_rng(0).integers(0, 256, (20, 3072), dtype=np.uint8)
    parts = {
        "cifar-10-batches-py": ("labels", 10, [*(f"data_batch_{at}" for at in range(1, 6)), "test_batch"]),
        "cifar-100-python": ("fine_labels", 100, ["train", "test"]),
    }
    for folder, (labels, classes, files) in parts.items():
        (root / folder).mkdir()
        for name in files:
            batch = {"data": pixels, labels: [at % classes for at in range(20)]}
            (root / folder / name).write_bytes(pickle.dumps(batch))
    return root


@pytest.mark.parametrize("name", PAPERS)
def test_a_study_of_a_paper_has_a_version_on_digits(name: str) -> None:
    for each in (name, f"{name}-digits"):
        assert re.search(r"arXiv:\d{4}\.\d{5}", read_preset(each).about)


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_says_what_it_is(name: str) -> None:
    preset, file = read_preset(name), config(name).file
    assert file.study == name
    assert preset.about
    assert preset.question.endswith("?")
    assert file.baseline
    assert preset.trials >= preset.arms * len(file.first_seeds()) or file.is_search


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_s_study_takes_a_paper_s_recipe_and_five_seeds(name: str) -> None:
    file = config(name).file
    assert file.training["recipe"] in ("he2015_cifar", "he2016_cifar", "densenet_cifar")
    assert len(file.first_seeds()) == 5
    assert file.resources.gpus == 1


@pytest.mark.parametrize("name", STUDIES)
def test_the_claims_of_a_preset_can_be_read(name: str) -> None:
    assert claims(name)


@pytest.mark.parametrize("name", PAPERS)
def test_claims_about_published_numbers_repeat_the_row_they_name(name: str) -> None:
    for claim in claims(name):
        if claim.paper is None:
            continue
        row = find_published(str(claim.paper.reference)).published
        given = next(each for each in config(name).file.claims if each["id"] == claim.id)["paper"]
        assert claim.statement.value == row.value
        assert given.get("sd") == row.sd
        kind, runs = parse_statistic(given.get("statistic"))
        assert (kind, given.get("n", runs)) == (row.statistic, row.n)


@pytest.mark.parametrize("name", PAPERS)
def test_a_published_row_is_of_the_network_that_it_is_held_against(name: str) -> None:
    arms = checked_arms(config(name), study_space(config(name)))[1]
    for claim in claims(name):
        if claim.paper is None:
            continue
        row = find_published(str(claim.paper.reference))
        (arm,) = [each for each in arms if claim.statement.left.items() <= each.levels.items()]
        network = complete_settings({"data": row.data, "network": {**row.network, "depth": row.depth}, "training": {}})
        assert arm.settings["network"] == network["network"]
        assert arm.settings["data"]["name"] == row.data


def test_every_row_of_table_1_has_an_arm() -> None:
    arms = checked_arms(config("identity-mappings-table-1"), study_space(config("identity-mappings-table-1")))[1]
    shortcuts = [arm.levels["shortcut"] for arm in arms]
    assert shortcuts == [
        "identity",
        "none",
        "scale(0.5, 1)",
        "scale(0.5, 0.5)",
        *(f"exclusive_gate({bias})" for bias in range(0, -8, -1)),
        "shortcut_gate(0)",
        "shortcut_gate(-6)",
        "conv1x1",
        "dropout(0.5)",
    ]


@pytest.mark.parametrize("name", [name for group in GROUPS.values() for name in group])
def test_a_name_without_a_file_is_a_ready_study(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (path,) = study_paths(Path(name))
    assert path.read_text() == preset_text(name)
    Path(name).touch()
    assert study_paths(Path(name)) == (Path(name),)


@pytest.mark.parametrize("name", preset_names())
def test_an_editor_is_told_where_the_schema_lies(name):
    assert preset_text(name).splitlines()[1] == "# yaml-language-server: $schema=study.schema.json"


def test_a_group_stands_for_its_studies() -> None:
    assert [each.stem for each in study_paths(Path("article"))] == list(GROUPS["article"])
    with pytest.raises(UserError, match="article is a group of ready studies, article-statements-digits, "):
        preset_text("article")


def test_the_page_on_the_article_names_every_claim_of_its_studies_and_no_other() -> None:
    page = (Path(__file__).parents[2] / "docs/article.md").read_text()
    rows = re.findall(r"^\| (\d+) \| .* \| `([\w-]+)` \| (.*) \|$", page, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, 13))
    told = {(study, claim) for _, study, named in rows for claim in re.findall(r"`([\w-]+)`", named)}
    assert told == {(name, claim.id) for name in GROUPS["article"] for claim in claims(name)}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("articel", "article"),
        ("ARTICLE", "article"),
        ("article.yaml", "article"),
        ("degradatoin-digits", "degradation-digits"),
        ("ablaton.yaml", "ablation.yaml"),
        ("ablation", "ablation.yaml"),
        ("studies/smal.yml", "studies/small.yml"),
    ],
)
def test_a_name_that_is_neither_a_file_nor_ready_is_told_the_nearest(
    given: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    for name in ("ablation.yaml", "studies/small.yml", "articel.txt"):
        (tmp_path / name).touch()
    with pytest.raises(
        UserError, match=f'^{given}: no such file; did you mean "{meant}"\\? `orchestrate presets` lists'
    ):
        study_paths(Path(given))


@pytest.mark.parametrize("given", ["zzz", "none/zzz.yaml"])
def test_a_name_that_is_near_nothing_has_no_suggestion(given: str) -> None:
    with pytest.raises(UserError, match=f"^{given}: no such file; `orchestrate presets` lists"):
        study_paths(Path(given))


def test_a_link_to_nothing_is_not_named_as_what_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("zzz.yaml").symlink_to("gone.yaml")
    with pytest.raises(UserError, match=r"^zzz\.yaml: no such file; `orchestrate presets` lists"):
        study_paths(Path("zzz.yaml"))


@pytest.mark.parametrize("given", ["a" * 300, "ablation.yaml/inside", "a\0b"])
def test_a_path_that_cannot_be_looked_at_is_left_to_the_reader(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ablation.yaml").touch()
    (path,) = study_paths(Path(given))
    with pytest.raises(UserError, match="cannot be read"):
        read_study(path)


@pytest.mark.parametrize(("given", "meant"), [("degradatoin", "degradation"), ("articel", "article")])
def test_an_unknown_name_is_told_the_nearest(given: str, meant: str) -> None:
    with pytest.raises(UserError, match=f'unknown preset "{given}": did you mean "{meant}"'):
        preset_text(given)


@pytest.mark.slow
@pytest.mark.parametrize("name", DIGITS)
def test_a_digits_preset_can_be_planned(name: str) -> None:
    plan = make_plan(config(name))
    assert config(name).file.is_search or len(plan.trials) == read_preset(name).trials


@pytest.mark.slow
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_s_study_can_be_planned_from_any_folder(
    name: str, cifar: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.yaml").write_text(preset_text(name))
    plan = make_plan(read_study(Path("study.yaml"), [f"data.root={cifar}"]))
    assert len(plan.trials) == read_preset(name).trials


def test_without_the_data_the_plan_says_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(preset_text("degradation"))
    with pytest.raises(UserError, match=r"study.yaml --set: data.root: CIFAR-10 is not in .*or set download: true"):
        make_plan(read_study(tmp_path / "study.yaml", [f"data.root={tmp_path}"]))


@pytest.mark.parametrize("name", sorted(set(DIGITS) & set(STUDIES)))
def test_the_seeds_of_a_ready_study_can_settle_each_of_its_claims(name):
    plan = make_plan(config(name))
    seeds = max(plan.analysis.looks, default=len({trial.seed for trial in plan.trials}))
    ahead = prospects(plan.claims, plan.factors, seeds, plan.analysis)
    assert [each.claim.id for each in ahead if not each.can] == []
