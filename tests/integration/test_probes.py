"""Probes in a study: measured with the training or later, never changing it, and cut short without loss."""

import json
from pathlib import Path

import pytest

from orchestrator import RunOptions, load_study, run_study
from orchestrator.engine.worker import WorkerSettings, train_pack
from orchestrator.errors import UserError
from orchestrator.planning.plan import make_plan
from orchestrator.planning.preview import preview
from orchestrator.records.events import EpochDone, Measured, ProbesEnded, TrialEnded, WeightsKept
from orchestrator.scheduling.packs import Pack
from orchestrator.storage import Store
from orchestrator.study_file.arms import complete_settings
from orchestrator.study_file.config import read_study
from trainers.probes import PROBES, complete_probes

INLINE = RunOptions(executor="inline", report=False)
ALL = tuple(name for name, probe in PROBES.items() if not probe.needs_partner)
QUICK = {"loss_surface": {"points": 3, "images": 32}, "sharpness": {"images": 32, "steps": 3, "count": 1}}


def quick(name: str) -> dict[str, object]:
    return {"name": name, **QUICK.get(name, {})}


@pytest.fixture
def probed(small: Path) -> Path:
    small.write_text(small.read_text() + "probes: [layer_response]\n")
    return small


def events_of(probes: object, tmp_path: Path, **settings: object) -> list[object]:
    raw = {"data": "digits", "network": {"depth": 8, "width": 4}, "training": {"epochs": 3}}
    worker = WorkerSettings(checkpoints=tmp_path / "checkpoints", weights=tmp_path / "weights", **settings)
    pack = Pack(complete_settings(raw), {0: "first", 1: "second"}, probes=complete_probes(probes))
    return [event for events in train_pack(pack, worker) for event in events]


def curves(events: list[object]) -> list[object]:
    """Return what the training gave, without the clock."""
    found = [(event.trial, {**vars(event.epoch), "seconds": 0}) for event in events if isinstance(event, EpochDone)]
    return sorted(found, key=str)


def test_probing_changes_no_number_of_the_training(tmp_path: Path) -> None:
    with_probes = events_of([quick(name) for name in ALL], tmp_path, keep="all")
    without = events_of([], tmp_path)
    assert curves(with_probes) == curves(without)
    measured = [event for event in with_probes if isinstance(event, Measured)]
    assert sorted((event.trial, event.probe) for event in measured) == sorted(
        (trial, kind) for trial in ("first", "second") for kind in ALL
    )
    assert [event.found.get("failed") for event in measured] == [None] * len(measured)


def test_a_trial_is_done_after_its_measurements(tmp_path: Path) -> None:
    kinds = [type(event) for event in events_of(["layer_response"], tmp_path, keep="last")]
    assert kinds[-6:] == [WeightsKept, WeightsKept, Measured, Measured, TrialEnded, TrialEnded]


@pytest.mark.parametrize(("keep", "epochs"), [("none", []), ("last", [3]), ("all", [1, 2, 3])])
def test_the_weights_that_are_asked_for_are_kept(keep: str, epochs: list[int], tmp_path: Path) -> None:
    kept = [event for event in events_of([], tmp_path, keep=keep) if isinstance(event, WeightsKept)]
    assert sorted(event.epoch for event in kept if event.trial == "first") == epochs
    assert all(Path(event.path).stat().st_size == event.bytes for event in kept)
    files = list((tmp_path / "weights").iterdir()) if keep != "none" else []
    assert len(files) == 2 * len(epochs)


def test_of_the_best_epochs_one_file_stays(tmp_path: Path) -> None:
    events = events_of([], tmp_path, keep="best")
    errors = {e.epoch.epoch: e.epoch.test_error for e in events if isinstance(e, EpochDone) and e.trial == "first"}
    (kept,) = [event for event in events if isinstance(event, WeightsKept) and event.trial == "first"]
    assert errors[kept.epoch] == min(errors.values())
    assert len(list((tmp_path / "weights").iterdir())) == 2


def test_a_study_keeps_its_measurements_and_networks(probed: Path) -> None:
    run_study(probed, options=INLINE)
    frames = load_study("small")
    rows = frames.measurements("layer_response")
    assert set(rows["seed"]) == {0, 1}
    assert (rows["response"] > 0).all()
    trial = frames.study.trials[0]
    network = frames.network(trial.arm, trial.seed)
    assert not network.training


def test_the_network_that_comes_back_has_the_error_on_record(probed: Path) -> None:
    import torch

    from trainers.data import load

    run_study(probed, options=INLINE)
    frames = load_study("small")
    data = load("digits", torch.device("cpu"))
    for trial in frames.study.trials:
        network = frames.network(trial.arm, trial.seed)
        with torch.no_grad():
            wrong = network(network.normalisation(data.test.pixels)).argmax(1) != data.test.labels
        assert 100 * wrong.double().mean().item() == pytest.approx(trial.test_error)


def test_a_probe_that_is_asked_for_later_measures_kept_weights(probed: Path) -> None:
    run_study(probed, options=INLINE)
    before = {trial.id: trial.finished_at for trial in load_study("small").study.trials}
    study = run_study(probed, changes=["probes=[layer_response, lesion]"], options=INLINE).study
    assert {trial.id: trial.finished_at for trial in study.trials} == before
    assert {each.kind for each in study.measurements} == {"layer_response", "lesion"}
    assert len(study.measurements) == 8


def test_another_setting_measures_anew_and_keeps_the_trials(probed: Path) -> None:
    first = run_study(probed, options=INLINE).study
    changed = run_study(probed, changes=["probes=[{name: layer_response, images: 32}]"], options=INLINE).study
    assert [trial.finished_at for trial in changed.trials] == [trial.finished_at for trial in first.trials]
    assert {each.settings["images"] for each in changed.measurements} == {32}
    assert changed.measurements[0].values["scalars"] != first.measurements[0].values["scalars"]


def test_nothing_is_measured_twice(probed: Path) -> None:
    run_study(probed, options=INLINE)
    with Store.open("sqlite:///results.db", read_only=True) as store, store.database.reading() as connection:
        from sqlalchemy import text

        before = connection.execute(text("SELECT max(measured_at) FROM measurements")).scalar()
    run_study(probed, options=INLINE)
    with Store.open("sqlite:///results.db", read_only=True) as store, store.database.reading() as connection:
        assert connection.execute(text("SELECT max(measured_at) FROM measurements")).scalar() == before


def test_a_measurement_that_is_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestrator.engine.probing.PAUSE", 0.0)
    raw = {"data": "digits", "network": {"depth": 8, "width": 4}, "training": {"epochs": 1}}
    pack = Pack(complete_settings(raw), {0: "first"}, probes=complete_probes(["layer_response", "lesion"]))
    worker = WorkerSettings(checkpoints=tmp_path)
    whole = [event for events in train_pack(pack, WorkerSettings()) for event in events]
    steps = train_pack(pack, worker)
    for events in steps:
        log = tmp_path / "first.probes.json"
        stored = json.loads(log.read_text()) if log.exists() else {"rows": {}}
        if any(row["at"].get("order") == "random" for rows in stored["rows"].values() for row in rows):
            break
        assert not any(isinstance(event, TrialEnded) for event in events)
    steps.close()
    passes = []
    monkeypatch.setattr("trainers.probes.lesion.Lesion._single", lambda *each: passes.append(each) or iter(()))
    again = [event for events in train_pack(pack, worker) for event in events]
    assert passes == []
    found = [[event.found for event in events if isinstance(event, Measured)] for events in (whole, again)]
    assert found[0] == found[1]


def test_a_run_leaves_no_unfinished_measurements(probed: Path) -> None:
    run_study(probed, options=INLINE)
    assert list(Path("out/small/checkpoints").glob("*.json")) == []


def lines_between(study: str) -> list[tuple[str, int, int]]:
    """Return the arm and the two seeds of each line between networks that was measured."""
    rows = load_study(study).measurements("interpolation")
    return sorted({(row.arm, row.seed, row.other) for row in rows.itertuples()})


def test_pairs_are_measured_when_both_are_trained(small: Path) -> None:
    claim = "claims=[{id: a, says: original < plain, metric: interpolation.barrier}]"
    probe = "probes=[{name: interpolation, points: 3, images: 64}]"
    result = run_study(small, changes=["seeds=2", probe, claim], options=INLINE)
    assert lines_between("small") == [("variant=original", 0, 1), ("variant=plain", 0, 1)]
    assert result.verdicts[0].n == 1
    frames = load_study("small")
    line = frames.interpolation("variant=original", 0, 1, points=3, images=64)
    rows = frames.measurements("interpolation")
    assert list(rows[rows.arm == "variant=original"].loss) == pytest.approx(list(line.loss), rel=1e-5)
    run_study(small, changes=["seeds=3", probe, claim], options=INLINE)
    assert [each[1:] for each in lines_between("small")] == [(0, 1), (1, 2)] * 2


def test_a_pair_of_which_one_is_gone_fails_alone(small: Path) -> None:
    run_study(small, changes=["seeds=2"], options=INLINE)
    Path(load_study("small").kept("variant=plain", 1).path).unlink()
    run_study(small, changes=["seeds=2", "probes=[interpolation, layer_response]"], options=INLINE)
    found = {(each.trial, each.kind): each.values for each in load_study("small").study.measurements}
    trial = next(each.id for each in load_study("small").study.trials_of("variant=plain") if each.seed == 0)
    assert "failed" not in found[trial, "layer_response"]
    assert (
        found[trial, "interpolation"]["failed"]
        == "interpolation needs the kept weights of another seed of the same arm"
    )


def test_weights_that_are_gone_are_one_sentence(tmp_path: Path) -> None:
    raw = {"data": "digits", "network": {"depth": 8, "width": 4}, "training": {"epochs": 1}}
    weights = {0: str(tmp_path / "gone.pt")}
    pack = Pack(complete_settings(raw), {0: "first"}, probes=complete_probes(["lesion"]), weights=weights)
    (event,) = [event for events in train_pack(pack, WorkerSettings()) for event in events]
    assert isinstance(event, ProbesEnded)
    assert "gone.pt cannot be read: No such file or directory" in str(event.reason)


def test_a_plan_says_what_probes_cost_and_what_is_kept(probed: Path) -> None:
    notes = preview(read_study(probed), "sqlite:///results.db").notes
    assert any(note.startswith("probes: about ") and "layer_response" in note for note in notes)
    assert any(note.startswith("weights: those after the last epoch of each trial") for note in notes)
    assert not any("kept" in note or note.startswith("probes: ") for note in make_plan(read_study(probed)).notes)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["seeds=1"], "every arm has one; ask for `seeds: 2` or more"),
        (["seeds=3", "keep=none"], "`keep: none` keeps no weights"),
        (["seeds=2"], None),
    ],
)
def test_a_plan_says_where_a_probe_of_two_networks_measures_nothing(
    changes: list[str], says: str | None, small: Path
) -> None:
    notes = make_plan(read_study(small, [*changes, "probes=[interpolation]"])).notes_before_run
    found = [note for note in notes if note.startswith("interpolation measures nothing")]
    assert len(found) == (says is not None)
    assert all(str(says) in note for note in found)
    (cost,) = [note for note in notes if note.startswith("probes: ")]
    assert ("interpolation 0.0%" in cost) == (says is not None)


def test_a_plan_counts_a_probe_of_two_networks_once_for_each_pair(small: Path) -> None:
    shares = []
    for seeds in (2, 4):
        notes = make_plan(read_study(small, [f"seeds={seeds}", "probes=[interpolation]"])).notes_before_run
        (cost,) = [note for note in notes if note.startswith("probes: ")]
        shares.append(float(cost.partition("interpolation ")[2].rstrip("%)")))
    assert shares[1] / shares[0] == pytest.approx((3 / 4) / (1 / 2), rel=0.02)


CLAIM = "claims: [{id: calm, says: plain < original, metric: layer_response.mean}]\n"


def with_claim(study: Path, claim: str = CLAIM) -> Path:
    study.write_text(study.read_text() + claim)
    return study


def test_a_claim_is_judged_by_what_a_probe_measured(probed: Path) -> None:
    result = run_study(with_claim(probed), options=INLINE)
    (verdict,) = result.verdicts
    found = {each.trial: each.values["scalars"]["mean"] for each in result.study.measurements}
    by_arm = {
        arm.levels["variant"]: [found[trial.id] for trial in result.study.trials_of(arm)] for arm in result.study.arms
    }
    assert verdict.n == 2
    assert verdict.estimate == pytest.approx((sum(by_arm["original"]) - sum(by_arm["plain"])) / 2)


def test_a_claim_of_what_no_probe_of_the_study_measures_is_noted(probed: Path) -> None:
    with_claim(probed)
    assert not any("no probe" in note for note in make_plan(read_study(probed)).notes_before_run)
    notes = make_plan(read_study(probed, ["probes=[lesion]"])).notes_before_run
    assert any(
        "claim calm: no probe of this study measures layer_response.mean: write `probes: [lesion, layer_response]`, "
        "or after the run `orchestrate probe small --kind layer_response`" in note
        for note in notes
    )


def test_a_misspelt_metric_of_a_probe_names_the_nearest(probed: Path) -> None:
    with pytest.raises(UserError, match=r'claims\[0\]\.metric: unknown metric "layer_respnse.mean": did you mean "lay'):
        read_study(with_claim(probed, CLAIM.replace("response", "respnse")))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("probes: [lesions]", r'probes\[0\]: unknown probe "lesions": did you mean "lesion"?'),
        (
            "probes: [{name: lesion, draw: 2}]",
            r'probes\[0\]\.draw: unknown lesion setting "draw": did you mean "draws"?',
        ),
        ("probes: lesion", r"probes: probes must be a list, not 'lesion'"),
        ("keep: lst", r'keep: unknown value of keep "lst": did you mean "last"'),
    ],
)
def test_a_mistake_is_named_with_file_and_line(line: str, says: str, small: Path) -> None:
    small.write_text(f"{small.read_text()}{line}\n")
    with pytest.raises(UserError, match=rf"small\.yaml:\d+: {says}"):
        run_study(small, options=INLINE)
