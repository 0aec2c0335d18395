"""Measurements and the files of weights: kept by the settings of their probe, read as rows."""

import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from orchestrator.records.events import Measured, ProbesEnded, WeightsKept
from orchestrator.storage import Recorder, StorageError, StudyFrames
from orchestrator.storage.columns import to_json
from orchestrator.storage.measured_columns import to_columns, to_rows
from orchestrator.storage.weights import KeptWeights
from reports.results import Measurement
from tests.orchestrator.storage.conftest import save_measurement

ROWS = [
    {"at": {"layer": 0, "deleted": [1, 2]}, "numbers": {"response": 1.5, "ratio": None}, "epoch": 2},
    {"at": {"layer": 1, "deleted": None}, "numbers": {"response": 0.5, "ratio": 0.25}, "epoch": 2},
]
FOUND = {"probe": {"title": "Response"}, "rows": ROWS, "scalars": {"mean": 1.0}}


@pytest.fixture
def plan(store, make_plan):
    plan = make_plan(settings={"study": "degradation", "probes": [{"name": "lesion", "draws": 3}]})
    store.record_plan(plan)
    return plan


def measured(plan, kind="lesion", found=FOUND, **settings):
    return Measurement(plan.trials[0].id, kind, found, settings)


def test_a_measurement_comes_back_with_its_study(store, plan):
    found = measured(plan, "layer_response", images=None)
    save_measurement(store, found)
    assert store.load_study(plan.name).measurements == (found,)


def test_measuring_again_replaces_the_measurement(store, plan):
    for value in (1, 2):
        save_measurement(store, measured(plan, "sharpness", {"value": value}))
    assert [each.values for each in store.load_study(plan.name).measurements] == [{"value": 2}]


def test_other_settings_are_another_measurement_and_a_study_has_those_it_asks_for(store, plan):
    for draws in (3, 4):
        save_measurement(store, measured(plan, found={"draws": draws}, draws=draws))
    assert [each.values for each in store.load_study(plan.name).measurements] == [{"draws": 3}]
    assert len(store.measured([plan.trials[0].id])[plan.trials[0].id]) == 2


def test_of_a_probe_that_the_study_does_not_name_the_newest_counts(store, plan):
    for images in (8, 16):
        save_measurement(store, measured(plan, "layer_response", {"images": images}, images=images))
    assert [each.values for each in store.load_study(plan.name).measurements] == [{"images": 16}]


def test_a_measurement_that_failed_is_still_missing(store, plan):
    save_measurement(store, measured(plan, found={"failed": "no units", "rows": []}, draws=3))
    assert store.measured([plan.trials[0].id]) == {}


def test_measuring_again_in_vain_keeps_what_was_found(store, plan):
    save_measurement(store, measured(plan, draws=3))
    save_measurement(store, measured(plan, found={"failed": "out of memory", "rows": []}, draws=3))
    assert "failed" not in store.load_study(plan.name).measurements[0].values
    trial = plan.trials[0].id
    assert store.measured([trial]) == store.measured([trial], with_failed=True) != {}


def test_measuring_again_with_success_replaces_a_failure(store, plan):
    save_measurement(store, measured(plan, found={"failed": "out of memory", "rows": []}, draws=3))
    save_measurement(store, measured(plan, draws=3))
    assert "failed" not in store.load_study(plan.name).measurements[0].values


def test_a_measurement_needs_a_trial(store):
    with pytest.raises(StorageError, match="there is no trial stranger"):
        save_measurement(store, Measurement("stranger", "lesion", {}))


def test_the_view_has_a_row_a_number(store, plan, rows):
    save_measurement(store, measured(plan, draws=3))
    found = rows("SELECT study, arm, seed, kind, epoch, name, value FROM measurement_results ORDER BY value")
    first = {"study": plan.name, "arm": plan.arms[0].arm.name, "seed": 0, "kind": "lesion", "epoch": 2}
    assert sorted((row["name"], row["value"]) for row in found if row["value"] is not None) == [
        ("ratio", 0.25),
        ("response", 0.5),
        ("response", 1.5),
    ]
    assert all(first.items() <= row.items() for row in found)
    assert len(found) == 4


def test_the_view_tells_where_in_json(store, plan, rows):
    save_measurement(store, measured(plan, draws=3))
    (row,) = rows("SELECT value FROM measurement_results WHERE name = 'response' AND CAST(at ->> 'layer' AS int) = 1")
    assert row["value"] == 0.5


def test_the_view_leaves_out_what_has_no_rows(store, plan, rows):
    save_measurement(store, measured(plan, "layer_response", {"std": [1.0, 0.5]}))
    assert rows("SELECT * FROM measurement_results") == []


def surface(points):
    axis = [round(-1 + 2 * each / (points - 1), 15) for each in range(points)]
    losses = iter(float(f"{1 + 1 / (7 + number):.8g}") for number in range(points**2))
    return [
        {"at": {"x": x, "y": y, "layer": [1, None]}, "numbers": {"loss": next(losses), "error": None}, "epoch": 2}
        for x in axis
        for y in axis
    ]


def test_many_rows_are_kept_as_columns_and_come_back_as_rows(store, plan, rows):
    found = measured(plan, found={**FOUND, "rows": surface(9)}, draws=3)
    save_measurement(store, found)
    (kept,) = rows("SELECT found FROM measurements")
    columns = kept["found"] if isinstance(kept["found"], dict) else json.loads(kept["found"])
    assert "rows" not in columns
    assert columns["columns"]["at"]["x"]["each"] == len(columns["columns"]["at"]["y"]["values"]) == 9
    assert store.load_study(plan.name).measurements == (found,)


def test_the_view_has_a_row_a_number_of_what_is_kept_as_columns(store, plan, rows):
    expected = surface(9)
    save_measurement(store, measured(plan, found={**FOUND, "rows": expected}, draws=3))
    found = rows("SELECT seed, epoch, at, name, value FROM measurement_results")
    places = [each["at"] if isinstance(each["at"], dict) else json.loads(each["at"]) for each in found]
    shown = [
        (at["x"], at["y"], at["layer"], each["name"], each["value"]) for at, each in zip(places, found, strict=True)
    ]
    whole = [(*row["at"].values(), name, value) for row in expected for name, value in row["numbers"].items()]
    assert sorted(shown, key=repr) == sorted(whole, key=repr)
    assert {(each["seed"], each["epoch"]) for each in found} == {(0, 2)}


def test_the_view_has_an_object_where_many_rows_have_no_place(store, plan, rows):
    each_epoch = [{"at": {}, "numbers": {"norm": 0.5}, "epoch": epoch} for epoch in range(70)]
    save_measurement(store, measured(plan, found={**FOUND, "rows": each_epoch}))
    found = rows("SELECT epoch, at FROM measurement_results")
    places = [each["at"] if isinstance(each["at"], dict) else json.loads(each["at"]) for each in found]
    assert places == [{}] * 70
    assert sorted(each["epoch"] for each in found) == list(range(70))


def test_a_large_surface_takes_a_fifth_of_its_rows_bytes(store, plan):
    rows = surface(51)
    assert len(to_json(to_columns({"rows": rows}))) < len(to_json({"rows": rows})) / 5


VALUES = [None, True, 1, 1.0, 0, 0.0, -0.0, "", "a", [1, 2], [], 0.1 + 0.2]


@pytest.mark.parametrize("seed", range(50))
def test_any_rows_come_back_as_they_were(seed):
    draw = Random(seed)
    places = [{name: draw.choice(VALUES) for name in ("x", "y")} for _ in range(draw.randint(1, 4))]
    each, times, rest = draw.randint(1, 40), draw.randint(1, 40), draw.choice([0, 0, 1, 3])
    kept = [
        {"at": at, "numbers": {"n": draw.choice([None, 1.5])}, "epoch": draw.choice([0, 1]) if rest else 2}
        for at in (places * times + places[:rest])
        for _ in range(each)
    ]
    assert repr(to_rows(to_columns({"scalars": {}, "rows": kept}))["rows"]) == repr(kept)


def test_the_frame_has_places_and_numbers_as_columns(store, plan):
    save_measurement(store, measured(plan, draws=3))
    frame = StudyFrames(store.load_study(plan.name)).measurements("lesion")
    assert list(frame.columns) == [
        *("arm", "depth", "variant", "seed", "epoch", "layer", "deleted", "response", "ratio"),
    ]
    assert frame["response"].tolist() == [1.5, 0.5]
    assert frame["epoch"].tolist() == [2, 2]


def test_the_recorder_keeps_measurements_and_lists_weights(store, plan, rows):
    trial = plan.trials[0].id
    with Recorder(store, plan.name) as recorder:
        recorder.put(WeightsKept(trial, 2, "abc", 10, "out/weights/abc.pt"))
        recorder.put(Measured(trial, "lesion", "key", {"draws": 3}, FOUND, 1.5))
        recorder.put(ProbesEnded(trial))
    assert store.weights([trial, "stranger"]) == {trial: [KeptWeights(trial, 2, "abc", 10, "out/weights/abc.pt")]}
    assert store.measured([trial]) == {trial: {"lesion/key"}}
    logged = rows("SELECT kind, details FROM events WHERE trial IS NOT NULL ORDER BY id")
    assert [row["kind"] for row in logged] == ["WeightsKept", "Measured", "ProbesEnded"]
    assert "rows" not in str(logged[1]["details"])


def test_the_history_knows_since_when_a_probe_has_measured_whatever_its_settings(store, plan):
    trial, at = plan.trials[0].id, datetime(2026, 11, 1, tzinfo=UTC)
    failed = {"failed": "no units", "rows": []}
    seen = [("other", FOUND, 2), ("key", failed, 1), ("key", FOUND, 3), ("key", FOUND, 4)]
    with Recorder(store, plan.name) as recorder:
        for key, found, hour in seen:
            recorder.put(Measured(trial, "lesion", key, {"draws": 3}, found, at=at + timedelta(hours=hour)))
    assert store.load_study(plan.name).history.measured == {"lesion": {trial: at + timedelta(hours=2)}}
    with Recorder(store, plan.name) as recorder:
        recorder.put(Measured(trial, "sharpness", "key", {}, FOUND, at=at + timedelta(hours=3)))
        recorder.put(Measured(trial, "sharpness", "key", {}, FOUND, at=at + timedelta(hours=4)))
    assert store.load_study(plan.name).history.measured["sharpness"] == {trial: at + timedelta(hours=3)}
