"""What a replay holds against random search: every sampler, every seed, and nothing but the search in its times."""

from threading import Event as Flag

import pytest

from orchestrator.scheduling.arm_facts import plan_trials
from orchestrator.scheduling.replaying import Replay
from orchestrator.search.comparison import compare, sampler_configurations
from orchestrator.study_file.search.search_settings import parse_search
from orchestrator.study_file.search.space import CONFIRM
from reports.trials import Epoch, State, Trial
from tests.orchestrator.search.conftest import plan_of

FACTORS = {"shortcut": ["identity", "none"], "width": [1, 2, 3], "training.lr": [0.01, 0.03, 0.1, 0.3]}
SECONDS = 2.0  # of an epoch, in the record


def plan(**search):
    return plan_of(factors=FACTORS, search={"arms": 8, "compare": {"seeds": 4}, **search})


def recorded(trial: str, error: float, validation: bool = True) -> Trial:
    val_error = error if validation else None
    curve = tuple(Epoch(at, 1.0, 1.0, 1.0, 9.0, 0.1, SECONDS, error / 10, val_error) for at in (1, 2, 3))
    return Trial(trial, "arm", 0, State.COMPLETE, seconds=3 * SECONDS, curve=curve)


def record_of(searched, tmp_path, with_confirmation: bool = False) -> Replay:
    """Return a record of every arm of the space, whose errors count up in the order of the grid."""
    trials = {}
    for at, point in enumerate(searched.space.points(100)):
        arm = searched.space.arm(point, "search")
        trials |= {each.id: recorded(each.id, 1.0 + at) for each in plan_trials(arm, searched.search_seeds)}
        if with_confirmation:
            fresh = plan_trials(searched.space.arm(point, CONFIRM), searched.fresh_seeds)
            trials |= {each.id: recorded(each.id, 1.0 + at, validation=False) for each in fresh}
    return Replay(trials, tmp_path)


def test_the_search_itself_and_all_that_is_asked_for_stand_against_random_search():
    settings = parse_search(
        {
            "arms": 3,
            "sampler": "gp",
            "scheduler": "median",
            "compare": {"samplers": ["tpe", "random"], "schedulers": ["asha"]},
        }
    )
    assert [each.name for each in sampler_configurations(settings)] == ["random", "gp, median", "tpe", "random, asha"]


def test_every_searches_once_a_seed_and_finds_different_arms(tmp_path):
    searched = plan(sampler="tpe", compare={"seeds": 4, "schedulers": ["median"]})
    found = compare(searched, record_of(searched, tmp_path), 1, Flag())
    assert sorted(found["on_record"]) == [1.0 + at for at in range(24)]
    assert [each["name"] for each in found["configurations"]] == ["random", "tpe", "random, median"]
    random, tpe, median = found["configurations"]
    for each in found["configurations"]:
        assert [len(best) for best in each["best"]] == [8] * 4
        assert all(best == sorted(best, reverse=True) for best in each["best"])
    assert len({tuple(best) for best in random["best"]}) > 1  # each seed is a search of its own
    assert random["training_seconds"] == tpe["training_seconds"] == [8 * 3 * SECONDS] * 4
    assert max(median["training_seconds"]) < 8 * 3 * SECONDS
    assert all(seconds > 0 for seconds in tpe["proposing_seconds"])


def test_variants_of_one_sampler_are_told_apart_by_the_arguments_in_which_they_differ(tmp_path):
    variants = [
        {"name": "tpe", "n_ei_candidates": 9, "n_startup_trials": count, "multivariate": count == 4} for count in (2, 4)
    ]
    searched = plan(sampler="random", compare={"seeds": 2, "samplers": variants})
    names = [each["name"] for each in compare(searched, record_of(searched, tmp_path), 1, Flag())["configurations"]]
    assert names == [
        "random",
        "tpe (n_startup_trials 2, multivariate False)",
        "tpe (n_startup_trials 4, multivariate True)",
    ]


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_the_arms_on_record_are_found_however_rare_they_are(sampler, tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.search.optimization.MOST_ATTEMPTS", 3)
    monkeypatch.setattr("orchestrator.search.optimization.PATIENCE", 2)
    searched = plan(sampler=sampler, compare={"seeds": 2}, arms=20)
    whole = record_of(searched, tmp_path)
    kept = [plan_trials(searched.arms[0].arm, searched.search_seeds)[0].id, list(whole.trials)[-1]]
    found = compare(searched, Replay({trial: whole.trials[trial] for trial in kept}, tmp_path), 1, Flag())
    assert len(found["on_record"]) == 2
    assert {len(best) for each in found["configurations"] for best in each["best"]} == {2}


def test_the_same_comparison_finds_the_same_arms(tmp_path):
    searched = plan(sampler="tpe")
    record = record_of(searched, tmp_path)
    first, second = (compare(searched, record, 1, Flag())["configurations"] for _ in range(2))
    assert [each["best"] for each in first] == [each["best"] for each in second]


def test_several_workers_train_side_by_side(tmp_path):
    searched = plan(sampler="random")
    found = compare(searched, record_of(searched, tmp_path), 4, Flag())
    assert found["configurations"][0]["training_seconds"] == [2 * 3 * SECONDS] * 4


def test_a_confirmation_that_is_on_record_is_no_part_of_the_time(tmp_path):
    searched = plan(sampler="tpe")
    found = compare(searched, record_of(searched, tmp_path, with_confirmation=True), 1, Flag())
    assert all(each["training_seconds"] == [8 * 3 * SECONDS] * 4 for each in found["configurations"])


def test_an_interrupted_comparison_says_nothing(tmp_path):
    searched, flag = plan(), Flag()
    flag.set()
    assert compare(searched, record_of(searched, tmp_path), 1, flag) is None


def test_searches_for_several_objectives_are_not_compared_by_one_of_them(tmp_path):
    searched = plan(sampler="nsga2", objectives=["val_error", "params"], compare=None)
    assert compare(searched, record_of(searched, tmp_path), 1, Flag()) is None


def test_what_is_compared_is_no_part_of_what_a_search_proposes():
    assert plan().optimization("search") == plan(compare={"samplers": ["gp"], "seeds": 9}).optimization("search")
