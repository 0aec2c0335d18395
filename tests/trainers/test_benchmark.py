import importlib
import json
import os
import re
import runpy
import subprocess
import time
from pathlib import Path

import pytest

from tests.trainers.mps_stand_in import HAS_COMPILER, StandIn

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TINY = "--device cpu --data digits --networks resnet20 --width 4 --batch-size 32 --seeds 2 --steps 2 --rounds 1"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a benchmark as its command line does; return what it recorded."""

    def script(name, arguments):
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        monkeypatch.setattr("record.RESULTS", tmp_path)
        monkeypatch.setattr("sys.argv", [f"{name}.py", *TINY.split(), *arguments])
        runpy.run_path(str(BENCHMARKS / f"{name}.py"), run_name="__main__")
        return json.loads((tmp_path / f"{name}_cpu_digits.json").read_text())

    return script


class Pretended:
    """A loop that compiles for a while in its first call, outside of what it times, and then has faster rounds."""

    images = 10
    loss = 0.0

    def __init__(self, calls, rounds):
        self.calls, self.rounds = calls, list(rounds)

    def __call__(self):
        if self not in self.calls:
            time.sleep(0.05)
        self.calls.append(self)
        return self.rounds.pop(0)


def test_loops_take_turns_and_the_fastest_round_counts_without_what_came_before_it(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    loops = importlib.import_module("loops")
    calls = []
    one, two = Pretended(calls, [0.02, 0.02, 0.01]), Pretended(calls, [0.04, 0.02, 0.05])
    found = loops.in_turn({"one": one, "two": two}, rounds=2)
    assert calls == [one, two] * 3
    assert [found["one"].rate, found["two"].rate] == pytest.approx([1000, 500])
    assert found["one"].preparation >= 0.04


@pytest.mark.slow
def test_the_script_for_a_gpu_runs_whole_on_a_cpu_and_writes_each_figure(tmp_path):
    environment = {**os.environ, "TINY": "1", "OUT": str(tmp_path)}
    script = subprocess.run(
        ["bash", "benchmarks/gpu.sh"],
        cwd=BENCHMARKS.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=True,
    )
    ended = dict(re.findall(r"== (\w+) ended with (\d+)", script.stdout))
    ended.pop("state", None)  # of nvidia-smi, where it is
    assert ended == dict.fromkeys(("machine", "ways", "tests", "versus", "deep", "ladder"), "0"), script.stdout[-3000:]
    limits = [int(each) for each in re.findall(r"^step \w+ (\d+)", (BENCHMARKS / "gpu.sh").read_text(), re.MULTILINE)]
    assert sum(limits) < 560
    lines = [json.loads(line) for line in (tmp_path / "ways.jsonl").read_text().splitlines()]
    measured = [each for each in lines if "images_per_second" in each]
    assert len(measured) >= 15
    assert not [each for each in lines if "failed" in each or "stopped" in each]
    assert all(each["computed"]["precision"] == each["precision"] for each in measured)
    versus = json.loads((tmp_path / "training_cpu_digits_versus.json").read_text())["figures"]
    assert versus["networks"]["resnet20"]["images_per_second"]["plain"] > 0
    assert json.loads((tmp_path / "training_cpu_digits_deep.json").read_text())["figures"]["deep"]["resnet20"]
    assert json.loads((tmp_path / "ladder_cpu_digits.json").read_text())["figures"]["networks"]["resnet20"]["plain"]
    assert len(list(tmp_path.iterdir())) <= 8


def test_what_is_known_is_told_after_each_round(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    loops = importlib.import_module("loops")
    told = []
    one = Pretended([], [0.1, 0.2, 0.05])
    loops.in_turn({"one": one}, 2, on_round=lambda measured: told.append(measured["one"].seconds))
    assert told == [0.2, 0.05]


@pytest.mark.slow
def test_the_training_benchmark_writes_its_figures(run, capsys):
    record = run("training", ["--whole-epochs", "1", "--peers", "plain,compile,library", "--compile-depth", "8"])
    figures = record["figures"]["networks"]["resnet20"]
    assert set(figures["images_per_second"]) == {"ours", "ours, pack of 2", "plain", "library"}
    assert all(rate > 0 for rate in figures["images_per_second"].values())
    assert "--compile-depth 20" in figures["left_out"]["compile"]
    assert set(figures["whole_trial_seconds"]) == {"ours", "ours, pack, per seed", "plain"}
    assert record["environment"]["torch"]
    printed = capsys.readouterr().out
    assert "images/s" in printed
    assert "trials per hour, pack of 2 seeds:" in printed


@HAS_COMPILER
def test_the_ladders_own_service_ends_with_its_rung(tmp_path, monkeypatch):
    stand_in = StandIn.made_in(tmp_path / "stand-in")
    for name, value in stand_in.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    with importlib.import_module("processes").multi_process_service() as environment:
        pipes = environment["CUDA_MPS_PIPE_DIRECTORY"]
        assert stand_in.calls("-d") == [[pipes, "all"]]
    assert [folder for folder, _ in stand_in.calls("quit")] == [pipes]


@pytest.mark.slow
def test_the_ladder_measures_every_rung_that_a_cpu_has_against_the_one_before(run, capsys):
    names = "plain;device data;channels_last;bf16;fused optimiser;cuda graph;in turn;processes;grouped fusion"
    rungs = run("ladder", ["--rungs", names])["figures"]["networks"]["resnet20"]
    assert list(rungs) == names.split(";")
    assert "not on this device" in rungs.pop("cuda graph")["absent"]
    for name, rung in rungs.items():
        assert rung["images_per_second"] > 0
        assert 1 < rung["loss"] < 6
        if name != "plain":
            ratio = rung["images_per_second"] / rungs[rung["before"]]["images_per_second"]
            assert rung["ratio_to_before"] == pytest.approx(ratio)
    assert "x plain" in capsys.readouterr().out
