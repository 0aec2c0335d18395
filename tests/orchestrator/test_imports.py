"""A command imports no library that it does not use (torch takes seconds). No import loops; names of classes."""

import ast
import os
import subprocess
import sys
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from orchestrator.storage import Store

ROOT = str(Path(__file__).parents[2])
LOADED = """
import sys
from orchestrator.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print(*sorted({"torch", "scipy", "pandas", "torch._dynamo"} & set(sys.modules)), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--help"], set()),
        (["presets"], set()),
        (["status"], set()),
        (["query", "SELECT count(*) FROM trial_results"], {"pandas"}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_a_command_imports_what_it_uses(words: list[str], allowed: set[str], tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/results.db").close()
    environment = {**os.environ, "PYTHONPATH": ROOT, "ORCHESTRATE_DB": f"sqlite:///{tmp_path}/results.db"}
    command = [sys.executable, "-c", LOADED, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert set(done.stderr.split()) <= allowed


def test_the_driver_of_a_run_reads_its_code_without_torch() -> None:
    code = (
        "import sys, orchestrator.study, orchestrator.engine.ray_tune, reports.page; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_tracing_a_network_does_not_import_torchs_compiler_nor_sympy() -> None:
    code = (
        "import sys\n"
        "from search_spaces import complexity\n"
        "for network in (\n"
        "    {'depth': 8},\n"
        "    {'depth': 8, 'activation': 'full_preact', 'downsample': 'projection'},\n"
        "    {'depth': 8, 'shortcut': {'op': 'exclusive_gate', 'bias': -6}},\n"
        "    {'depth': 8, 'shortcut': {'op': 'shortcut_gate', 'bias': -6}},\n"
        "    {'depth': 8, 'shortcut': {'op': 'scale', 'shortcut': 0.5, 'residual': 0.5}},\n"
        "    {'family': 'highway'},\n"
        "):\n"
        "    assert complexity(network).params\n"
        "    assert not {'torch._dynamo', 'sympy'} & set(sys.modules), network\n"
        "from torch import nn\n"
        "from search_spaces.trace import trace\n"
        "for usual in (nn.ReLU(), nn.GELU(), nn.SiLU(), nn.SiLU(inplace=True), nn.Tanh(), nn.Mish(), nn.Hardswish(),\n"
        "              nn.LeakyReLU(0.2), nn.ELU(), nn.ReLU6(), nn.Softplus()):\n"
        "    trace(lambda: nn.Sequential(nn.Conv2d(3, 4, 3), usual, nn.Flatten(), nn.Linear(144, 10)), (3, 8, 8))\n"
        "    assert not {'torch._dynamo', 'sympy'} & set(sys.modules), usual"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_no_file_imports_itself_through_others_not_even_for_type_hints() -> None:
    graph = grimp.build_graph("orchestrator", "reports", "search_spaces", "trainers", cache_dir=None)
    imported = {each: graph.find_modules_directly_imported_by(each) for each in graph.modules}
    assert len(imported) > 300
    TopologicalSorter(imported).prepare()  # CycleError names the files of a loop


def test_no_two_classes_share_a_name_unless_they_are_one_thing() -> None:
    one_thing = {
        "Arm",  # as planned, and as it is on record
        "Budget",  # as the file says it, and as a run uses it up
        "View",  # as a probe declares it, and as the report draws it
        "Place",  # of a shortcut in a network, and of a row that a probe measures: both are named so in guides
    }
    found = defaultdict(set)
    for package in ("orchestrator", "reports", "search_spaces", "trainers"):
        for file in Path(ROOT, package).rglob("*.py"):
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    found[node.name].add(file)
    assert len(found) > 300
    assert {name for name, files in found.items() if len(files) > 1} == one_thing
