"""The documentation: links lead somewhere, generated pages are current, code blocks run, files for clusters hold."""

import json
import os
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from typer.main import get_command

from orchestrator import RunOptions, load_study, run_study
from orchestrator.cli import app
from orchestrator.planning.plan import make_plan
from orchestrator.study_file.config import read_study
from orchestrator.study_file.sections import StudyFile
from reports.analysis import badges
from reports.analysis.badges import MEANINGS
from search_spaces.settings import settings_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "example-site" not in page.parts)
EVERYTHING = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
COMMANDS = set(get_command(app).commands)
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for name, words, text in found if name == language and "no-run" not in words]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", EVERYTHING, ids=named)
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


def test_the_page_on_installing_names_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (DOCS / "install.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`pip install -e '\.\[(\w+)\]'`", text)) == set(project["optional-dependencies"])


def test_generated_pages_are_what_the_code_says() -> None:
    pages = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
    stale = [name for name, text in pages.items() if (DOCS / "reference" / name).read_text(encoding="utf-8") != text]
    assert not stale, "run `python docs/generate.py`"


def test_the_tutorial_prints_the_study_that_it_runs() -> None:
    (study, _) = blocks(DOCS / "tutorial.md", "yaml")
    assert study == (ROOT / "ablation.yaml").read_text(encoding="utf-8")


def test_every_badge_of_a_verdict_is_explained() -> None:
    page = (DOCS / "how-to" / "read-verdicts.md").read_text(encoding="utf-8")
    rows = [tuple(line.strip("| ").split(" | ")) for line in page.splitlines() if line.startswith("| ")]
    assert rows[rows.index(("mark", "meaning")) + 1 :] == list(MEANINGS.items())
    known = {value for name, value in vars(badges).items() if name.isupper() and isinstance(value, str)}
    assert known == set(MEANINGS)


def test_the_site_names_every_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named_there = set(re.findall(r": ([\w/\-]+\.md)$", text, re.MULTILINE))
    assert named_there == {str(page.relative_to(DOCS)) for page in PAGES}


@pytest.mark.parametrize("page", EVERYTHING, ids=named)
def test_commands_in_shell_blocks_exist(page: Path) -> None:
    text = "".join(blocks(page, "bash"))
    assert set(re.findall(r"\borchestrate ([a-z]+)\b", text)) <= COMMANDS


@pytest.mark.parametrize("page", EVERYTHING, ids=named)
def test_yaml_blocks_are_studies_or_parts_of_one(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    modules = {named[1]: text for text in blocks(page, "python") if (named := re.match(r"# (\w+)\.py\n", text))}
    for name, text in modules.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    for text in blocks(page, "yaml"):
        content = yaml.safe_load(text)
        if page.name in ("recipes.md", "study-file.md"):
            continue
        assert set(content) <= {each.name for each in settings_of(StudyFile)}, text
        if "study" in content:
            file = tmp_path / "study.yaml"
            file.write_text(text, encoding="utf-8")
            assert make_plan(read_study(file)).trials
    for name in modules:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small study in it, trained without a cluster: the pages that run there find it recorded."""
    folder = tmp_path_factory.mktemp("pages")
    study = yaml.safe_load((ROOT / "ablation.yaml").read_text(encoding="utf-8"))
    small = {"factors": {**study["factors"], "depth": [8]}, "training": {"epochs": 1}, "seeds": 1, "claims": []}
    (folder / "ablation.yaml").write_text(yaml.safe_dump({**study, **small}), encoding="utf-8")
    train_here(folder / "ablation.yaml", folder / "results.db")
    return folder


def train_here(study: Path | dict[str, object], db: Path) -> None:
    """Train a study in this process; the default, a cluster, is what tests/integration/test_cluster.py is about."""
    run_study(study, options=RunOptions(db=str(db), executor="inline", report=False, out=db.parent / "out"))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in EVERYTHING if blocks(page, "python")], ids=named)
def test_python_blocks_run(page: Path, study_folder: Path) -> None:
    code = "\n".join(blocks(page, "python"))
    (study_folder / "mynet.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "mynet.py"]
    done = subprocess.run(command, cwd=study_folder, env=environment(), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_notebook_runs_on_what_it_has_trained_before(tmp_path: Path) -> None:
    cells = json.loads((DOCS / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    names: dict[str, Any] = {}
    exec(code.partition("result =")[0], names)
    train_here(names["study"], tmp_path / "notebook.db")
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert list(load_study("notebook", db=tmp_path / "notebook.db").trials()["state"]) == ["COMPLETE"] * 9


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_the_script_for_slurm_is_bash() -> None:
    subprocess.run(["bash", "-n", str(DOCS / "cluster" / "slurm.sh")], check=True)


def test_the_file_for_kubernetes_runs_a_command_that_exists() -> None:
    job = yaml.safe_load((DOCS / "cluster" / "kuberay.yaml").read_text(encoding="utf-8"))
    words = job["spec"]["entrypoint"].split()
    assert words[0] == "orchestrate"
    assert words[1] in COMMANDS
    groups = [job["spec"]["rayClusterSpec"]["headGroupSpec"], *job["spec"]["rayClusterSpec"]["workerGroupSpecs"]]
    for group in groups:
        (container,) = group["template"]["spec"]["containers"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in group["template"]["spec"]["volumes"]}


def test_the_image_holds_what_the_installation_needs() -> None:
    lines = (DOCS / "cluster/Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert [word for word in copied if not (ROOT / word).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = [each.rstrip("*") for each in project["tool"]["setuptools"]["packages"]["find"]["include"]]
    assert set(copied) == {
        "pyproject.toml",
        "setup.py",
        "README.md",
        *project["project"]["license-files"],
        *packages,
    }
    (install,) = [line for line in lines if "pip install" in line]
    extras = set(re.search(r"\[(.*)\]", install).group(1).split(","))  # type: ignore[union-attr]
    assert extras <= set(project["project"]["optional-dependencies"])


def test_the_file_for_the_cloud_launcher_is_what_ray_expects() -> None:
    schema = files("ray.autoscaler").joinpath("ray-schema.json").read_text(encoding="utf-8")
    launcher = yaml.safe_load((DOCS / "cluster" / "cloud.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(launcher, json.loads(schema))
    assert launcher["head_node_type"] in launcher["available_node_types"]


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="needs the docs extra")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").exists()
