"""The page of benchmarks says what the JSON files say, also where a peer is faster."""

import json
import re
from pathlib import Path
from typing import Any

from benchmarks.page import RESULTS, lines


def page(folder: Path, **files: dict[str, Any]) -> str:
    for name, figures in files.items():
        record = {
            "command": f"python benchmarks/{name}.py --data digits",
            "measured_at": "2026-03-14T09:00:00+00:00",
            "environment": {"cpu": "Some CPU", "cpus": 2, "device": "Some GPU", "python": "3.11.7", "torch": "2.9.0"},
            "figures": figures,
        }
        (folder / f"{name}.json").write_text(json.dumps(record))
    return "\n".join(lines(folder))


def rates(**given: float) -> dict[str, Any]:
    ratios = {name: value / given["plain"] for name, value in given.items()}
    return {"networks": {"resnet20": {"images_per_second": given, "ratio_to_plain": ratios}}}


def test_a_peer_that_is_faster_is_named_first(tmp_path: Path) -> None:
    text = page(tmp_path, training_gpu=rates(ours=900.0, plain=1000.0, library=800.0))
    losses, _, rest = text.partition("## Training")
    assert "- Training: resnet20, ours: 0.90 times as fast as the plain PyTorch loop." in losses
    assert "library" not in losses
    assert "`python benchmarks/training_gpu.py --data digits`" in rest
    assert "Measured on 2026-03-14; Some CPU, 2 cores; Some GPU; python 3.11.7, torch 2.9.0." in rest
    assert "| resnet20 | 900 (0.90) | 1,000 (1.00) | 800 (0.80) |" in rest


def test_what_wins_everywhere_is_no_loss(tmp_path: Path) -> None:
    text = page(tmp_path, training_gpu=rates(ours=1100.0, plain=1000.0))
    assert "Nothing in these files." in text.partition("## Training")[0]


def test_a_budget_that_is_missed_and_a_round_that_is_alone_are_told(tmp_path: Path) -> None:
    figures = {"trials": 10000, "seconds": 60.0, "elements": 10, "budget": {"seconds": 45.0, "elements": 15000}}
    quickstart = {
        "rounds": [{"product_seconds": 60.0, "by_hand_seconds": 48.0, "ratio": 0.8}],
        "median_ratio": 0.8,
        "test_error_product": {"a": 2.0},
        "test_error_by_hand": {"a": 3.0},
    }
    losses = page(tmp_path, report=figures, quickstart_vs_ray_tune=quickstart).partition("\n## The ")[0]
    assert "seconds: 60, above the 45 allowed" in losses
    assert "elements" not in losses
    assert "by hand it takes 0.80 times as long" in losses
    assert "measured once" in losses


def test_a_benchmark_without_a_table_of_its_own_shows_its_figures(tmp_path: Path) -> None:
    assert "| seconds a trial | 0.25 |" in page(tmp_path, scale={"seconds_a_trial": 0.25, "more": [1, 2]})


def test_gpus_that_idle_are_told(tmp_path: Path) -> None:
    case = {"trials": 8, "packs": 8, "hours": 2.0, "hours_of_the_longest_trial": 1.0}
    text = page(tmp_path, schedule={"gpus": 4, "few": {**case, "busy": 0.5}, "many": {**case, "busy": 0.96}})
    assert "few: GPUs train for 50% of the time, below the 95% aimed at" in text
    assert "many: GPUs" not in text
    assert "| many | 8 | 8 | 2 | 0.96 | 1 |" in text


def test_a_simulation_is_repeated_by_its_seed_and_number_of_studies(tmp_path: Path) -> None:
    row = {"case": "a", "noise": "b", "decided": 0.1, "without_badge": 0.0, "bound": 0.2, "result": "holds"}
    kept = {"python": "3.11.7", "seed": 7, "rows": [{**row, "studies": 40}]}
    (tmp_path / "error_rates.json").write_text(json.dumps(kept))
    assert "`python -m benchmarks.error_rates --studies 40 --seed 7`" in "\n".join(lines(tmp_path))


def test_every_result_has_its_command_and_names_no_folder_of_ours() -> None:
    text = "\n".join(lines())
    for file in RESULTS.glob("*.json"):
        command = text.partition(f"(`{file.stem}`)")[2].split("\n\n")[1]
        assert re.fullmatch(r"`(PYTHONPATH=\. )?python (-m benchmarks\.\w+|benchmarks/\w+\.py)( [^`]*)?`", command), (
            file.name
        )
    assert not re.search(r"/(?:home|root|work)/", text)
