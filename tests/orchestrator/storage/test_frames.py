"""Studies as DataFrames, with factors as columns."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from orchestrator.storage import StudyFrames
from reports.metrics import METRICS
from reports.results import Measurement, Study
from reports.trials import Arm, Epoch, State, Trial

CURVE = (Epoch(1, 1.0, 50.0, 1.5, 60.0, 0.1, 2.0), Epoch(2, 0.5, 40.0, 1.2, 55.0, 0.1, 2.0))


def study_of(factor="variant"):
    arms = tuple(
        Arm(f"depth={depth}", {"depth": depth, factor: "plain"}, {}, params=10 * depth, flops=20 * depth)
        for depth in (20, 56)
    )
    trials = (
        Trial(
            "a",
            "depth=20",
            0,
            State.COMPLETE,
            test_error=55.0,
            curve=CURVE,
            started_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        Trial("b", "depth=20", 1, State.COMPLETE, test_error=45.0, curve=CURVE[:1]),
        Trial("c", "depth=56", 0, State.WAITING),
    )
    return Study(
        name="degradation",
        question="",
        source="",
        settings={},
        factors={"depth": (20, 56), factor: ("plain",)},
        baseline={},
        fail_above=None,
        arms=arms,
        trials=trials,
        measurements=(Measurement("a", "lesion", {"block": 3, "seed": 9}), Measurement("b", "other", {"x": 1})),
    )


@pytest.fixture
def frames():
    return StudyFrames(study_of(), [{"claim": "c", "says": "s", "verdict": "Supported", "context": {"depth": 20}}])


def test_trials_have_a_column_for_each_factor(frames):
    trials = frames.trials()
    assert trials[["trial", "arm", "depth", "variant", "seed", "state", "epochs"]].values.tolist() == [
        ["a", "depth=20", 20, "plain", 0, "COMPLETE", 2],
        ["b", "depth=20", 20, "plain", 1, "COMPLETE", 1],
        ["c", "depth=56", 56, "plain", 0, "WAITING", 0],
    ]
    assert trials.depth.dtype.kind == "i"


def test_curves_have_one_row_a_trial_and_epoch(frames):
    assert frames.curves()[["arm", "depth", "seed", "epoch", "test_error"]].values.tolist() == [
        ["depth=20", 20, 0, 1, 60.0],
        ["depth=20", 20, 0, 2, 55.0],
        ["depth=20", 20, 1, 1, 60.0],
    ]


def test_arms_have_the_mean_of_their_outcomes(frames):
    arms = frames.arms().set_index("depth")
    assert arms.loc[20, ["params", "flops", "trials", "outcomes", "test_error"]].tolist() == [200, 400, 2, 2, 50.0]
    assert arms.loc[56, ["trials", "outcomes"]].tolist() == [1, 0]


def test_measurements_have_a_column_for_each_value(frames):
    found = frames.measurements("lesion")
    assert found[["arm", "depth", "seed", "block"]].values.tolist() == [["depth=20", 20, 0, 3]]


def test_measurements_of_an_unknown_kind_are_an_empty_frame(frames):
    assert len(frames.measurements("none")) == 0


def test_verdicts_hold_all_that_was_saved(frames):
    assert frames.verdicts()[["claim", "verdict", "context"]].values.tolist() == [["c", "Supported", {"depth": 20}]]


def test_a_study_without_verdicts_has_an_empty_frame_with_columns():
    assert list(StudyFrames(study_of()).verdicts().columns)[:3] == ["claim", "says", "verdict"]


def test_a_factor_never_hides_another_column():
    trials = StudyFrames(study_of(factor="seed")).trials()
    assert trials["factor.seed"].tolist() == ["plain"] * 3
    assert trials["seed"].tolist() == [0, 1, 0]


@pytest.mark.parametrize("factor", ["lr", "epoch", "params", "test_error", "cause", "mean"])
def test_a_factor_has_the_same_column_in_every_table(factor):
    frames = StudyFrames(study_of(factor=factor))
    for table in (frames.trials(), frames.curves(), frames.arms(), frames.measurements("lesion")):
        assert list(table[f"factor.{factor}"]) == ["plain"] * len(table)


def test_every_metric_of_a_trial_is_a_column(frames):
    table = frames.trials()
    assert {name for name, metric in METRICS.items() if not metric.is_exact} - set(table.columns) == set()
    study = study_of()
    known = replace(study.trials[0], train_error=50.0, telemetry={"peak_memory_mib": 7})
    row = StudyFrames(replace(study, trials=(known,))).trials().iloc[0]
    assert (row.test_error, row.gap, row.peak_memory) == (55.0, 5.0, 7.0)


def test_moments_have_a_time_zone(frames):
    assert str(frames.trials().started_at.dt.tz) == "UTC"


def test_arms_of_an_earlier_file_are_left_out_unless_they_are_asked_for():
    study = study_of()
    old = replace(study.arms[0], orphaned=True)
    frames = StudyFrames(replace(study, arms=(old, study.arms[1])))
    assert frames.trials().trial.tolist() == ["c"]
    assert frames.trials(orphaned=True)[["trial", "orphaned"]].values.tolist() == [
        ["a", True],
        ["b", True],
        ["c", False],
    ]
    assert len(frames.curves()) == 0
    assert set(frames.curves(orphaned=True).trial) == {"a", "b"}
    assert len(frames.arms()) == 1
    assert len(frames.arms(orphaned=True)) == 2
    assert len(frames.measurements("lesion")) == 0
    assert len(frames.measurements("lesion", orphaned=True)) == 1


def test_what_a_notebook_shows_is_short(frames):
    assert repr(frames) == "<StudyFrames degradation: 2 arms, 3 trials>"
    assert "depth=20" in frames._repr_html_()
