import json
import runpy
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
        return json.loads((tmp_path / f"{name}_cpu.json").read_text())

    return script


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
