import json
import runpy
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_the_training_benchmark_writes_its_figures(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.setattr("record.RESULTS", tmp_path)
    arguments = "--device cpu --data digits --networks resnet20 --width 4 --batch-size 32 --seeds 2 --warm-up 1"
    arguments += " --steps 2 --repeats 1 --whole-epochs 1 --peers plain,torchvision"
    monkeypatch.setattr("sys.argv", ["training.py", *arguments.split()])
    runpy.run_path(str(BENCHMARKS / "training.py"), run_name="__main__")
    record = json.loads((tmp_path / "training_cpu.json").read_text())
    figures = record["figures"]["networks"]["resnet20"]
    assert set(figures["images_per_second"]) == {"ours", "ours, pack of 2", "plain", "torchvision"}
    assert all(rate > 0 for rate in figures["images_per_second"].values())
    assert record["environment"]["torch"]
    assert "images/s" in capsys.readouterr().out
