"""Arguments of the wrong type are told in one sentence, before anything is made."""

from pathlib import Path

import pytest

from orchestrator import RunOptions, load_study, run_study
from orchestrator.errors import UserError
from search_spaces import build_network
from search_spaces.errors import SettingError
from trainers import train

STUDY = {"study": "x", "network": {"depth": 8, "width": 2}, "training": {"epochs": 1}, "seeds": 1}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("file", [3, None, [STUDY], b"study.yaml"])
def test_a_study_is_a_path_or_a_dict(file: object) -> None:
    with pytest.raises(UserError, match=r"^the study must be the path of a study file, or a dict .*, not "):
        run_study(file)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"changes": "seeds=2"}, "changes must be a list of texts such as \"training.epochs=2\", not 'seeds=2'"),
        ({"changes": [2]}, 'changes must be a list of texts such as "training.epochs=2", not 2'),
        ({"db": 3}, "db must be a text or a path, not 3"),
        ({"options": {"executor": "inline"}}, "options must be a RunOptions, not {'executor': 'inline'}"),
        ({"options": {}}, "options must be a RunOptions, not {}"),
        ({"options": RunOptions(out=3)}, "RunOptions.out must be a text or a path, not 3"),  # type: ignore[arg-type]
        ({"options": RunOptions(db=[1])}, "RunOptions.db must be a text or a path, not [1]"),  # type: ignore[arg-type]
    ],
)
def test_what_run_study_takes(arguments: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        run_study(STUDY, **arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_what_load_study_takes() -> None:
    with pytest.raises(UserError, match=r"^the name of a study must be a str, not 3$"):
        load_study(3)  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"^db must be a text or a path, not \[1\]$"):
        load_study("x", db=[1])  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [3, (3, 32), None, "abc", (3, 32, "x"), (3, 0, 32)])
def test_an_image_has_channels_height_and_width(shape: object) -> None:
    with pytest.raises(ValueError, match=r"cannot build for images .* as \(3, 32, 32\)"):
        build_network({"depth": 8}, shape)  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", ["ten", 0, None, 2.5])
def test_classes_are_counted(classes: object) -> None:
    with pytest.raises(ValueError, match="a number of classes"):
        build_network({"depth": 8}, (1, 8, 8), classes)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", ["a", None, 1.5])
def test_a_seed_is_a_whole_number(seed: object) -> None:
    with pytest.raises(SettingError, match="the seed must be a whole number"):
        train({"depth": 8, "width": 2}, "digits", {"epochs": 1}, seed)  # type: ignore[arg-type]
