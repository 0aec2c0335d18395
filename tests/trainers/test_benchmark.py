import importlib
import json
import runpy
import time
from pathlib import Path

import pytest

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
