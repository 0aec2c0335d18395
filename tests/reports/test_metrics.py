import math
from dataclasses import replace

import pytest

from reports.analysis.readings import grid
from reports.metrics import METRICS, Better, Diverged, check_metric, find_metric, has_own_loss, measured, without_nats
from reports.results import Measurement
from reports.trials import Epoch, State
from search_spaces import SettingError
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

PLAIN, PREACT = {"variant": "plain"}, {"variant": "preact"}


def sped(diverged: dict[str, float], sound: dict[str, float]):
    """Eight diverged plain trials beside eight sound ones of preact, each with these metrics (and a little noise)."""
    made = study([(PLAIN, [None] * 8), (PREACT, [5.0 + seed / 100 for seed in range(8)])])
    trials = []
    for trial in made.trials:
        known = diverged if trial.state is State.DIVERGED else sound
        trials.append(replace(trial, **{name: value + trial.seed / 10 for name, value in known.items()}))
    return replace(made, trials=tuple(trials))


COSTS = [name for name, metric in METRICS.items() if metric.diverged is Diverged.NO_READING]


@pytest.mark.parametrize("says", ["plain < preact", "plain > preact"])
@pytest.mark.parametrize("metric", COSTS)
def test_a_diverged_trial_neither_wins_nor_loses_a_claim_on_costs(metric, says):
    made = sped(
        {"images_per_second": 500, "seconds": 9.0, "train_error": 1.0, "test_error": 2.0},
        {"images_per_second": 900, "seconds": 5.0, "train_error": 1.0},
    )
    made = replace(made, arms=tuple(replace(arm, params=len(arm.name), flops=7) for arm in made.arms))
    (found,) = verdicts_of(made, {"says": says, "metric": metric})
    assert (found.verdict, found.n) == ("Inconclusive", 0)


@pytest.mark.parametrize("metric", [name for name, each in METRICS.items() if each.diverged is Diverged.WORST])
def test_a_diverged_trial_is_the_worst_of_all_by_errors_and_losses(metric):
    made = sped({metric: 1.0}, {metric: 5.0})
    assert set(grid(made, metric)["variant=plain"].values()) == {math.inf}
    (found,) = verdicts_of(made, {"says": "preact < plain", "metric": metric})
    assert found.verdict == "Supported"


def test_speed_of_sound_trials_is_compared_as_measured():
    made = study([(PLAIN, [5.0] * 5), (PREACT, [5.0] * 5)])
    trials = [
        replace(each, images_per_second=(900 if "plain" in each.arm else 500) + each.seed) for each in made.trials
    ]
    trials[0] = replace(trials[0], images_per_second=903)
    (found,) = verdicts_of(
        replace(made, trials=tuple(trials)), {"says": "plain > preact", "metric": "images_per_second", "by": 300}
    )
    assert found.verdict == "Supported"
    assert "images/s" in found.sentence


def test_what_the_network_alone_fixes_is_compared_exactly():
    made = study([(PLAIN, [5.0, 5.1]), (PREACT, [5.0, 5.2])])
    made = replace(made, arms=tuple(replace(arm, params=300 if "plain" in arm.name else 400) for arm in made.arms))
    found = verdicts_of(
        made,
        {"says": "plain < preact", "metric": "params", "by": 100},
        {"says": "plain < preact", "metric": "params", "by": 101},
        {"says": "plain > preact", "metric": "params"},
        {"says": "plain == preact", "metric": "params", "within": 100},
    )
    assert [each.verdict for each in found] == ["Supported", "Refuted", "Refuted", "Supported"]


def test_equal_numbers_of_parameters_are_no_advantage():
    made = study([(PLAIN, [5.0, 5.1]), (PREACT, [5.0, 5.2])])
    made = replace(made, arms=tuple(replace(arm, params=300) for arm in made.arms))
    assert verdicts_of(made, {"says": "plain < preact", "metric": "params"})[0].verdict == "Refuted"


def test_every_curve_is_a_field_of_an_epoch():
    fields = Epoch.__dataclass_fields__
    assert all((name in fields) >= metric.is_curve for name, metric in METRICS.items())


def test_memory_is_read_from_the_telemetry():
    made = study([(PLAIN, [5.0, 5.1])])
    trials = tuple(replace(each, telemetry={"peak_memory_mib": 12.5}) for each in made.trials)
    assert grid(replace(made, trials=trials), "peak_memory")["variant=plain"] == {0: 12.5, 1: 12.5}


def test_gap_is_test_error_minus_training_error():
    made = study([(PLAIN, [5.0, 5.5])], train={"variant=plain": {0: 1.0, 1: 2.0}})
    assert grid(made, "gap")["variant=plain"] == {0: 4.0, 1: 3.5}


def reached(*errors, seconds=2.0):
    """Trials of seeds 0, 1, ... with these training errors by epoch."""
    made = study([(PLAIN, [5.0] * len(errors))])
    curves = [
        tuple(Epoch(at, 1.0, error, None, None, 0.1, seconds) for at, error in enumerate(each, start=1))
        for each in errors
    ]
    trials = tuple(replace(trial, curve=curve) for trial, curve in zip(made.trials, curves, strict=True))
    return replace(made, trials=trials)


def test_a_training_error_is_reached_at_the_first_epoch_that_is_not_above_it():
    made = reached([50.0, 5.0, 9.0, 4.0], [5.1, 4.9, 4.0, 3.0], [50.0, 40.0, 30.0, 20.0], [])
    assert grid(made, "epochs_to_train_error_5")["variant=plain"] == {0: 2.0, 1: 2.0, 2: math.inf}
    assert grid(made, "seconds_to_train_error_5")["variant=plain"] == {0: 4.0, 1: 4.0, 2: math.inf}
    assert grid(made, "epochs_to_train_error_4.95")["variant=plain"] == {0: 4.0, 1: 2.0, 2: math.inf}


def test_a_training_that_never_comes_so_far_is_slower_than_any_that_does():
    made = study([(PLAIN, [5.0] * 8), (PREACT, [5.0] * 8)])
    curves = {
        "plain": tuple(Epoch(at, 1.0, 50.0, None, None, 0.1, 1.0) for at in (1, 2, 3)),
        "preact": tuple(Epoch(at, 1.0, 50.0 / at**2, None, None, 0.1, 1.0) for at in (1, 2, 3)),
    }
    trials = tuple(replace(each, curve=curves[each.arm.removeprefix("variant=")]) for each in made.trials)
    (found,) = verdicts_of(
        replace(made, trials=trials), {"says": "preact < plain", "metric": "epochs_to_train_error_10"}
    )
    assert found.verdict == "Supported"


@pytest.mark.parametrize("name", ["epochs_to_train_error_", "epochs_to_train_error_x", "seconds_to_train_error_101"])
def test_a_training_error_that_is_no_percentage_is_refused(name):
    with pytest.raises(SettingError, match=r'did you mean "(epochs|seconds)_to_train_error_5"\?'):
        check_metric(name, {}, on_record=False)


@pytest.mark.parametrize(
    ("name", "found", "value"),
    [
        ("lesion.one_unit", {"scalars": {"one_unit": 0.5}, "one_unit": 9.0}, 0.5),
        ("layer_response.sd.mean", {"sd": [1.0, 2.0, 6.0]}, 3.0),
        ("layer_response.sd.last", {"sd": [1.0, 2.0, 6.0]}, 6.0),
        ("layer_response.sd.1", {"sd": [1.0, 2.0, 6.0]}, 2.0),
        ("layer_response.sd", {"sd": True}, None),
        ("layer_response.other", {"sd": [1.0]}, None),
    ],
)
def test_scalars_of_probes_are_read_by_their_path(name, found, value):
    made = study([(PLAIN, [5.0, None])])
    kind = name.partition(".")[0]
    found = [Measurement(f"variant=plain/{seed}", kind, found) for seed in (0, 1)]
    assert grid(replace(made, measurements=tuple(found)), name)["variant=plain"] == (
        {} if value is None else {0: value}
    )


def test_a_claim_on_what_nothing_can_measure_is_refused_when_the_study_is_planned():
    from reports.analysis.claims import parse_claims

    declared = {"layer_response.mean": measured("layer_response.mean", "", Better.LESS)}
    claim = {"id": "a", "says": "plain < preact", "metric": "layer_respnse.mean"}
    with pytest.raises(SettingError, match=r'did you mean "layer_response.mean"\?'):
        parse_claims([claim], {"variant": ("plain", "preact")}, declared, on_record=False)
    (kept,) = parse_claims([claim], {"variant": ("plain", "preact")}, declared)
    assert kept.metric == "layer_respnse.mean"


def test_a_loss_of_the_users_own_has_no_unit():
    own = {"training": {"step": {"name": "losses:focal"}}}
    assert METRICS["test_loss"].label == "test loss, nats"
    declared = without_nats({**METRICS, "loss_surface.slope": measured("loss_surface.slope", "nats")})
    assert set(declared) == {"train_loss", "val_loss", "test_loss", "loss_surface.slope"}
    assert {find_metric(name, declared).unit for name in declared} == {""}
    made = study([(PLAIN, [5.0])])
    assert not has_own_loss({"training": {"step": None}}, made.arms)
    assert has_own_loss(own)
    assert has_own_loss({}, [replace(made.arms[0], settings=own)])
