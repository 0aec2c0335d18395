"""A user's own module: whatever it does when it is imported or called is one message, and stdout stays ours."""

import importlib
import linecache
import os
import signal
import sys

import pytest
import torch

from search_spaces import SettingError, user_code
from search_spaces.user_code import calling, check_signature, code_digest, load_function, look_in

KEY = ("name",)


@pytest.mark.parametrize("name", ["nets:", ":build", "..nets:build", "nets.:build"])
def test_a_name_that_is_none_of_a_function_is_refused(name):
    with pytest.raises(SettingError, match=r'is named "package\.module:builder"'):
        load_function(name, "builder", ())


def test_a_file_in_the_place_of_its_module_is_told_as_one():
    with pytest.raises(SettingError, match='name the module, not its file: "nets:build"'):
        load_function("nets.py:build", "builder", ())


def test_a_relative_folder_is_that_of_its_time(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"module_{name}.py").write_text(f"def make():\n    return {name!r}\n")
        monkeypatch.chdir(folder)
        look_in(".")
        assert load_function(f"module_{name}:make", "builder", ())() == name
    assert "." not in sys.path


@pytest.mark.parametrize("file", ["same_name.py", "same_name/__init__.py"])
def test_each_study_of_a_process_gets_the_module_of_its_own_folder(file, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(user_code, "_FOLDERS", [])
    for name in ("one", "two", "without"):
        (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
        if name != "without":
            (tmp_path / name / file).write_text(f"def make():\n    return {name!r}\n")

    def made(name):
        look_in(tmp_path / name)
        return load_function("same_name:make", "builder", ())(), code_digest("same_name:make")

    one, two = made("one"), made("two")
    assert (one[0], two[0]) == ("one", "two")
    assert one[1] != two[1]
    assert made("one") == one
    assert made("without") == one
    sys.modules.pop("same_name")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module and forget what was imported of it before."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(sys, "__stdout__", open(1, "w", closefd=False))  # noqa: SIM115 - one module closes it

    def module(text):
        sys.modules.pop("code_of_mine", None)
        (tmp_path / "code_of_mine.py").write_text(text)
        linecache.clearcache()
        return "code_of_mine:make"

    yield module
    sys.modules.pop("code_of_mine", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import sys; sys.exit(3)",
            r"when it is imported \(sys\.exit\(3\) in code_of_mine.py, line 1\)",
        ),
        ("raise SystemExit", r"ends the program when it is imported \(sys\.exit\(\) in code"),
        (
            "import argparse\np = argparse.ArgumentParser()\np.add_argument('x')\np.parse_args([])",
            r"sys\.exit\(2\) in code_of_mine\.py, line 4\): it reads the command line",
        ),
        ("x = 1\ny = x / 0", "cannot be imported: ZeroDivisionError: division by zero in code_of_mine.py, line 2"),
        ("def make(:", r"cannot be imported: SyntaxError: .*code_of_mine\.py, line 1"),
        (
            "raise GeneratorExit",
            "raises GeneratorExit in code_of_mine.py, line 1 when it is imported",
        ),
        (
            "import os\nos._exit(7)",
            r"ends the program when it is imported \(os\._exit\(7\) in code_of_mine\.py, line 2\): move what",
        ),
        (
            "import sys\nsys.__stdout__.close()",
            "closes the program's standard output when it is imported",
        ),
        (
            "import torch\ntorch.set_default_dtype(torch.float64)\ndef make(): pass",
            r"changes a default of torch when it is imported, .*: new tensors are float64; convert what",
        ),
        (
            "import torch\ntorch.set_grad_enabled(False)\ndef make(): pass",
            r"changes a default of torch when it is imported, .*: gradients are off; put `with torch\.no_grad",
        ),
        ("import nosuchmodule", "needs a module that is not installed: nosuchmodule"),
        ("def making(): pass", 'unknown loader in code_of_mine "make": did you mean "making"'),
        ("make = 3", 'unknown loader in code_of_mine "make"'),
    ],
)
def test_what_goes_wrong_at_import_is_one_message(write, capfd, text, message):
    name = write(text)
    with pytest.raises(SettingError, match=message) as raised:
        load_function(name, "loader", KEY)
    assert raised.value.key == KEY
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["code", "code:", ":make"])
def test_a_name_without_both_parts_says_how_to_write_it(name):
    with pytest.raises(SettingError, match=r'a loader of your own is named "package\.module:loader"'):
        load_function(name, "loader", KEY)


def test_a_module_that_is_nowhere_is_named():
    with pytest.raises(SettingError, match="there is no module nowhere_at_all: put it beside the study file"):
        load_function("nowhere_at_all:make", "loader", KEY)


def test_what_is_printed_goes_to_stderr(write, capfd):
    name = write("print('loading')\ndef make():\n    print('making')\n    return 5")
    function = load_function(name, "loader", KEY)
    with calling(name, KEY):
        assert function() == 5
    written = capfd.readouterr()
    assert written.out == ""
    assert written.err.split() == ["loading", "making"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            SystemExit(3),
            r"make ends the program \(sys\.exit\(3\) in test_user_code\.py, line \d+\): let it",
        ),
        (ValueError("no such depth"), "make refuses these settings: no such depth"),
        (ZeroDivisionError("by zero"), "make raised ZeroDivisionError: by zero"),
    ],
)
def test_what_goes_wrong_in_a_call_is_one_message(error, message):
    with pytest.raises(SettingError, match=message) as raised, calling("make", KEY):
        raise error
    assert raised.value.key == KEY


class Interrupted(KeyboardInterrupt):
    """What a handler of signals raises."""


def test_an_interrupt_of_a_person_stays_one_and_one_of_the_code_is_its_mistake():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    try:
        with pytest.raises(KeyboardInterrupt), calling("make", KEY):
            raise KeyboardInterrupt  # as Python's own handler does
        signal.signal(signal.SIGINT, lambda *_: None)
        with pytest.raises(SettingError, match="raises KeyboardInterrupt"), calling("make", KEY):
            raise KeyboardInterrupt
        with pytest.raises(Interrupted), calling("make", KEY):
            raise Interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_function_must_take_what_it_is_given():
    check_signature("make", lambda a, b: None, ["a"], KEY)
    check_signature("make", lambda **anything: None, ["a"], KEY)
    with pytest.raises(SettingError, match="make must take a and b as arguments"):
        check_signature("make", lambda c: None, ["b", "a"], KEY)


def test_the_digest_follows_what_is_computed(write):
    first = code_digest(write("def make(): return 1"))
    assert code_digest(write("def make():\n    # as before\n    return 1")) == first
    assert code_digest(write("def make(): return 2")) != first
    assert code_digest("builtins:dict") == "unknown"


class Unsayable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Unsayable(), r"raised Unsayable: \(its text cannot be had: __str__ raised RuntimeError\)"),
        (RuntimeError("two\nlines"), "raised RuntimeError: two lines"),
        (ValueError("two\nlines"), "refuses these settings: two lines"),
    ],
)
def test_an_error_is_one_line_also_without_a_text_that_can_be_had(error, said):
    with pytest.raises(SettingError, match=said) as told, calling("nets:build", KEY):
        raise error
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("characters", "seen"), [(10, 0), (60_000, 60_000)])
def test_a_module_that_prints_without_an_end_is_seen_while_it_does(tmp_path, monkeypatch, capsys, characters, seen):
    (tmp_path / f"prints_{characters}.py").write_text(f"print('x' * {characters}, end='')\nraise ValueError")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(SettingError, match="cannot be imported: ValueError"):
        load_function(f"prints_{characters}:build", "builder", KEY)
    told = capsys.readouterr()
    assert (told.out, told.err.count("x")) == ("", seen)


def test_an_import_without_end_is_ended(write, monkeypatch):
    monkeypatch.setattr(user_code, "IMPORT_SECONDS", 0.5)
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(SettingError, match=r"code_of_mine did not end when it is imported within 0\.5 s"):
        load_function(write("while True:\n    pass"), "loader", KEY)
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_closed_stream_is_still_open_for_the_program(write, capfd):
    name = write("import sys\ndef make():\n    sys.stdout.close()\n    sys.stderr.close()\n    print('said')")
    with calling(name, KEY):
        load_function(name, "loader", KEY)()
    print("after", file=sys.stderr)
    assert capfd.readouterr() == ("", "said\nafter\n")


def test_a_process_that_the_code_forks_may_end(write):
    name = write("import os\nchild = os.fork()\nif not child: os._exit(7)\ndef make(): return os.waitpid(child, 0)[1]")
    assert os.waitstatus_to_exitcode(load_function(name, "loader", KEY)()) == 7


@pytest.mark.parametrize("change", ["set_default_dtype(torch.float64)", "set_grad_enabled(False)"])
def test_a_default_of_torch_is_restored_and_its_change_told_again(write, change):
    name = write(f"import torch\ntorch.{change}\ndef make(): pass")
    for _ in range(2):
        with pytest.raises(SettingError, match="changes a default of torch"):
            load_function(name, "loader", KEY)
        assert (torch.get_default_dtype(), torch.is_grad_enabled()) == (torch.float32, True)


def test_a_module_that_was_edited_since_keeps_the_digest_of_what_is_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file = tmp_path / "edited_since.py"
    file.write_text("VALUE = 1\n")
    before = code_digest("edited_since:f")
    file.write_text("VALUE = 2  # another length\n")
    assert code_digest("edited_since:f") == before
    monkeypatch.delitem(sys.modules, "edited_since")
    importlib.invalidate_caches()
    linecache.checkcache()
    assert code_digest("edited_since:f") != before
