"""What `orchestrate describe` prints of a study: every arm's network, and its file with every default."""

import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from orchestrator.errors import UserError
from orchestrator.planning.description import print_description
from orchestrator.planning.plan import make_plan
from orchestrator.storage import Store
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml
from reports.page import write_report

STUDY = """\
study: small
question: Does it run?
data: digits
network: {family: resnet_cifar, width: 2}
factors:
  depth: [8, 14]
  variant:
    plain: {shortcut: none}
    original: {}
seeds: 2
"""


def described(text: str, width: int = 80, svg: Path | None = None, out: io.StringIO | None = None) -> str:
    out = out or io.StringIO()
    print_description(Console(file=out, width=width), check_study(parse_yaml(text, "a.yaml"), Path()), svg)
    return out.getvalue()


def test_every_arm_is_described_for_its_images() -> None:
    text = described(STUDY)
    assert text.startswith("small: Does it run?\n")
    for arm in ("depth=8 variant=plain", "depth=14 variant=original"):
        assert f"\n{arm}\n{'=' * len(arm)}\nFor images of 1×8×8 values in 10 classes.\n" in text
    assert "Plain network with 14 layers, basic units without shortcuts." in text


def test_stages_come_with_shapes_parameters_and_multiply_adds() -> None:
    lines = [line.split() for line in described(STUDY).splitlines()]
    assert ["stage", "output", "units", "convolutions", "parameters", "multiply-adds"] in lines
    assert ["stem", "2×8×8", "1", "22", "1,152"] in lines
    assert ["stage1", "2×8×8", "2", "4", "160", "9,216"] in lines


def test_a_unit_is_drawn_once() -> None:
    text = described(STUDY)
    assert text.count("├─ + ──┘") == 1
    assert 'The unit is that of "depth=8 variant=original".' in text


def test_arms_that_differ_in_their_training_share_a_description() -> None:
    text = described("study: a\nnetwork: {depth: 8}\nfactors: {training.lr: [0.1, 0.05]}\n")
    assert 'The same network as "training.lr=0.1": what differs is how it is trained.' in text


def test_cifar_networks_are_described_before_the_images_are_there() -> None:
    text = described("study: a\ndata: {name: cifar100, root: /nowhere}\nnetwork: {depth: 20}\n")
    assert "For images of 3×32×32 values in 100 classes." in text


def test_the_file_is_printed_with_every_default() -> None:
    text = described(STUDY)
    whole = yaml.safe_load(text[text.index("\nstudy: small") :])
    assert whole["network"]["downsample"] == "pad"
    assert whole["training"]["momentum"] == 0.9
    assert whole["data"] == {"name": "digits", "validation": 0.0}
    assert whole["factors"] == {"depth": [8, 14], "variant": {"plain": {"shortcut": "none"}, "original": {}}}


def test_nothing_is_folded_in_a_narrow_terminal() -> None:
    assert described(STUDY, width=40) == described(STUDY, width=200)


def test_a_mistake_is_named_with_its_line() -> None:
    with pytest.raises(UserError, match=r"a.yaml:2: network.depth: depth 21 cannot be built"):
        described("study: a\nnetwork: {depth: 21}\n")


def test_of_a_search_the_baseline_is_described() -> None:
    text = described(
        "study: a\nnetwork: {depth: 8, width: 2}\nfactors: {activation: [original, full_preact]}\n"
        "baseline: {activation: original}\ndesign: search\nsearch: {arms: 2}\n"
    )
    assert "Residual network with 8 layers, basic units, original." in text
    assert "Residual network with 8 layers, basic units, full_preact." not in text


def test_the_units_are_written_as_the_report_has_them(tmp_path: Path) -> None:
    text = described(STUDY, svg=tmp_path / "new" / "folder")
    path = tmp_path / "new" / "folder" / "units.svg"
    assert text.endswith(f"{path}\n")
    planned = make_plan(check_study(parse_yaml(STUDY, "a.yaml"), tmp_path))
    with Store.open(tmp_path / "r.db") as store:
        store.record_plan(planned)
        write_report(store.load_study("small"), tmp_path / "report")
    assert path.read_bytes() == (tmp_path / "report/figures/units.svg").read_bytes()


def test_without_a_known_unit_there_is_nothing_to_draw(tmp_path: Path) -> None:
    plugin = "tests.search_spaces.plugin_example:build"
    with pytest.raises(UserError, match="no unit of these networks"):
        described(f"study: a\nnetwork: {{family: '{plugin}'}}\n", svg=tmp_path)


def test_a_folder_that_cannot_be_written_is_the_user_s_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    printed = io.StringIO()
    with pytest.raises(UserError, match=r"units\.svg cannot be written"):
        described(STUDY, svg=tmp_path / "file", out=printed)
    assert printed.getvalue() == ""
