"""The code behind a user's functions on two machines: the modules that are named, and those beside them."""

import sys

import pytest

from search_spaces import SettingError
from search_spaces.imported_code import other_code, planned_code
from search_spaces.user_code import MissingModule

FILES = {
    "nets_of_mine.py": "import json\nfrom pathlib import Path\nfrom blocks_of_mine import unit\nbuild = unit\n",
    "blocks_of_mine.py": "import numpy\nimport trainers.records\ndef unit(): return 1\n",
    "notes_of_mine.py": "",
    "package_of_mine/__init__.py": "",
    "package_of_mine/nets.py": "from . import blocks\nfrom .deep.layers import layer\nbuild = layer\n",
    "package_of_mine/blocks.py": "",
    "package_of_mine/unused.py": "",
    "package_of_mine/deep/__init__.py": "",
    "package_of_mine/deep/layers.py": "from ..blocks import __name__\ndef layer(): return 1\n",
}
SETTINGS = {"network": {"family": "nets_of_mine:build"}, "probes": ["package_of_mine.nets:build"]}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module, and forget what was imported of all of them before."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def forget():
        for name in [name for name in sys.modules if name.partition(".")[0].endswith("_of_mine")]:
            del sys.modules[name]

    def module(file, text):
        forget()
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)

    yield module
    forget()


@pytest.fixture
def planned(write):
    for file, text in FILES.items():
        write(file, text)
    __import__("nets_of_mine")
    __import__("package_of_mine.nets")
    return planned_code(SETTINGS)


def test_what_a_named_module_imports_beside_it_belongs_to_it(planned):
    assert set(planned) == {
        "nets_of_mine",
        "blocks_of_mine",
        "package_of_mine",
        "package_of_mine.nets",
        "package_of_mine.blocks",
        "package_of_mine.deep",
        "package_of_mine.deep.layers",
    }


def test_the_same_code_is_not_other_code(planned, write):
    write("blocks_of_mine.py", f"# a comment\n{FILES['blocks_of_mine.py']}")
    assert other_code(SETTINGS, planned) == []


@pytest.mark.parametrize(
    "file", ["nets_of_mine.py", "blocks_of_mine.py", "package_of_mine/__init__.py", "package_of_mine/deep/layers.py"]
)
def test_other_code_is_named(file, planned, write):
    write(file, f"{FILES[file]}MORE = 1\n")
    assert other_code(SETTINGS, planned) == [file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")]


def test_code_that_settings_do_not_name_is_not_looked_at(planned, write):
    write("nets_of_mine.py", "raise RuntimeError")
    assert other_code({"probes": ["package_of_mine.nets:build", "notes_of_mine:of"]}, planned) == []
    assert "notes_of_mine" not in sys.modules


def test_a_module_that_is_missing_here_is_named(planned, write, tmp_path):
    write("blocks_of_mine.py", "import no_such_module")
    with pytest.raises(MissingModule, match="nets_of_mine needs a module that is not installed: no_such_module"):
        other_code(SETTINGS, planned)
    (tmp_path / "nets_of_mine.py").unlink()
    with pytest.raises(MissingModule, match="there is no module nets_of_mine: put it beside the study file"):
        other_code(SETTINGS, planned)


def test_what_else_an_import_raises_is_no_missing_module(planned, write):
    write("blocks_of_mine.py", "1 / 0")
    with pytest.raises(SettingError, match="ZeroDivisionError") as told:
        other_code(SETTINGS, planned)
    assert not isinstance(told.value, MissingModule)


def test_of_an_installed_package_the_named_module_stands_alone():
    assert list(planned_code({"family": "yaml.loader:Loader", "other": "json:loads"})) == ["json", "yaml.loader"]
