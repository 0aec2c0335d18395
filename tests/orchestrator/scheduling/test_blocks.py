"""A study hands out what its plan lacks, in packs of about one size, and after a look the seeds that claims ask for."""

from pathlib import Path

import pytest

from orchestrator.planning.plan import make_plan
from orchestrator.records.events import AttemptStarted, EpochDone, Measured, TrialEnded, WeightsKept
from orchestrator.scheduling.arm_facts import trial_cost
from orchestrator.scheduling.blocks import StudyBlocks
from orchestrator.scheduling.progress import Progress
from orchestrator.storage import Recorder, Store
from orchestrator.study_file.config import check_study
from orchestrator.study_file.yaml_source import parse_yaml
from reports.trials import Epoch, State
from trainers.probes import complete_probes

TEXT = """study: blocks
network: {width: 1, depth: 8}
factors: {variant: {plain: {shortcut: none}, original: {}, wide: {width: 2}}}
baseline: {variant: original}
training: {recipe: quick, epochs: 1}
"""
UNDECIDED = """seeds: {looks: [5, 8]}
claims: [{id: plain, says: plain > original}, {id: wide, says: wide < original}]
"""


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "r.db") as store:
        yield store


def plan_of(text):
    return make_plan(check_study(parse_yaml(TEXT + text, "a.yaml"), Path()))


def blocks_of(store, plan, **options):
    store.record_plan(plan)
    progress = Progress()
    blocks = StudyBlocks(store, plan, progress, **options)
    blocks.begin()
    return blocks, progress


def record(store, plan, errors, state=State.COMPLETE):
    """Record an outcome for each trial in `errors`, with that test error."""
    with Recorder(store, plan.name) as recorder:
        for trial, error in errors.items():
            recorder.put(AttemptStarted(trial, "cpu", "here", {}))
            recorder.put(EpochDone(trial, Epoch(1, 1.0, error, 1.0, error, 0.1, 2.0)))
            recorder.put(WeightsKept(trial, 1, "digest", 10, f"{trial}.pt"))
            recorder.put(TrialEnded(trial, state, seconds=2.0))
        assert recorder.flush()


def handed_out(blocks):
    source = blocks.source(lambda: None)
    packs = []
    while (pack := source.next()) is not None:
        packs.append(pack)
    return packs


@pytest.mark.parametrize(("at_most", "sizes"), [(1, [1] * 5), (2, [1, 2, 2]), (3, [2, 3]), (5, [5]), (9, [5])])
def test_seeds_of_an_arm_are_spread_over_packs_of_about_one_size(store, at_most, sizes):
    plan = plan_of("seeds: 5")
    packs = handed_out(blocks_of(store, plan, seeds_per_pack=at_most)[0])
    by_trial = {each.id: each for each in plan.trials}
    for arm in plan.arms:
        mine = [pack for pack in packs if pack.settings == arm.arm.settings]
        assert sorted(len(pack.trials) for pack in mine) == sizes
        assert [pack.cost for pack in mine] == [trial_cost(arm.arm) * len(pack.trials) for pack in mine]
    assert sorted(trial for pack in packs for trial in pack.trials.values()) == sorted(by_trial)
    assert all(by_trial[trial].seed == seed for pack in packs for seed, trial in pack.trials.items())


def test_seeds_that_draw_their_own_test_images_train_alone(store):
    plan = plan_of("seeds: {count: 3, split: per_seed}")
    packs = handed_out(blocks_of(store, plan, seeds_per_pack=4)[0])
    assert {len(pack.trials) for pack in packs} == {1}
    assert all(pack.settings["data"]["split_by_seed"] for pack in packs)
    fixed = plan_of("seeds: {count: 3}")
    assert plan_of("seeds: {count: 3, split: null}").plan_hash == fixed.plan_hash
    assert not {trial.id for trial in plan.trials} & {trial.id for trial in fixed.trials}


def test_the_most_expensive_packs_come_first(store):
    packs = handed_out(blocks_of(store, plan_of("seeds: 2"))[0])
    assert [pack.settings["network"]["width"] for pack in packs] == [2, 2, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("state", "again"),
    [(State.COMPLETE, False), (State.DIVERGED, False), (State.FAILED, True), (State.PRUNED, True)],
)
def test_what_has_no_outcome_is_trained_again(store, state, again):
    plan = plan_of("seeds: 2")
    store.record_plan(plan)
    record(store, plan, {plan.trials[0].id: 5.0}, state)
    blocks, progress = blocks_of(store, plan)
    assert blocks.has_work()
    trials = [trial for pack in handed_out(blocks) for trial in pack.trials.values()]
    assert (plan.trials[0].id in trials) is again
    assert len(trials) == 6 - (not again)
    assert progress.counts() == {State.WAITING: 6} if again else {state: 1, State.WAITING: 5}


def test_a_finished_study_has_no_work(store):
    plan = plan_of("seeds: 2")
    store.record_plan(plan)
    record(store, plan, {trial.id: 5.0 + trial.seed for trial in plan.trials})
    blocks, progress = blocks_of(store, plan)
    assert not blocks.has_work()
    assert progress.finished == 6


def seeds_of(packs):
    return sorted({seed for pack in packs for seed in pack.trials})


def errors(plan, seeds, effect):
    """Return test errors by trial, with an open difference between plain and original, and `effect` for wide."""
    noise = (0.0, 1.3, -0.9, 0.4, -0.2, 0.8, -0.6, 0.3)
    return {
        trial.id: 10 + noise[trial.seed] - (effect + 0.01 * trial.seed if trial.arm.levels["variant"] == "wide" else 0)
        + (0.4 + 0.5 * (-1) ** trial.seed if trial.arm.levels["variant"] == "plain" else 0)
        for trial in plan.trials
        if trial.seed in seeds
    }  # fmt: skip


def test_a_look_adds_seeds_to_the_arms_of_undecided_claims_alone(store):
    plan = plan_of(UNDECIDED)
    blocks, progress = blocks_of(store, plan)
    assert seeds_of(handed_out(blocks)) == [0, 1, 2, 3, 4]
    record(store, plan, errors(plan, range(5), effect=8.0))
    added = blocks.more()
    assert seeds_of(added) == [5, 6, 7]
    assert {pack.settings["network"]["shortcut"]["op"] for pack in added} == {"none", "identity"}
    assert {pack.settings["network"]["width"] for pack in added} == {1}, "the claim about wide is decided"
    assert sum(progress.counts().values()) == 15 + 6
    assert len(store.load_study("blocks").trials) == 15 + 6, "the added seeds are part of the study"
    again, _ = blocks_of(store, plan)
    assert seeds_of(handed_out(again)) == [5, 6, 7], "an interrupted run goes on with them"


def test_a_study_whose_claims_are_decided_adds_none(store):
    plan = plan_of("seeds: {looks: [5, 8]}\nclaims: [{id: wide, says: wide < original}]\n")
    store.record_plan(plan)
    record(store, plan, errors(plan, range(5), effect=8.0))
    blocks, _ = blocks_of(store, plan)
    assert not blocks.has_work()
    assert blocks.more() == []


def test_networks_are_measured_in_pairs_of_neighbouring_seeds_when_both_are_trained_and_once(store):
    plan = plan_of("seeds: [0, 1, 4]")
    blocks, _ = blocks_of(store, plan, probes=complete_probes(["lesion", "interpolation"]))
    trained = handed_out(blocks)
    assert {tuple(each.kind for each in pack.probes) for pack in trained} == {("lesion",)}
    assert blocks.more() == [], "nothing is trained yet"
    record(store, plan, {trial.id: 5.0 + trial.seed for trial in plan.trials})
    pairs = blocks.more()
    names = {trial.id: (trial.arm.name, trial.seed) for trial in plan.trials}
    assert sorted(names[trial] for pack in pairs for trial in pack.trials.values()) == sorted(
        (arm.arm.name, seed) for arm in plan.arms for seed in (0, 1)
    )
    files = {f"{trial}.pt": name for trial, name in names.items()}
    for pack in pairs:
        ((seed, path),) = pack.weights.items()
        ((of, partner),) = pack.partners.items()
        assert of == seed
        assert files[path] == (names[pack.trials[seed]])
        assert files[partner] == (files[path][0], {0: 1, 1: 4}[seed])
        assert [each.kind for each in pack.probes] == ["interpolation"]
    assert blocks.more() == [], "what has been handed out is not handed out again, whatever became of it"


def test_what_is_trained_already_is_measured_where_a_measurement_is_missing(store):
    plan = plan_of("seeds: 2")
    store.record_plan(plan)
    record(store, plan, {trial.id: 5.0 + trial.seed for trial in plan.trials})
    (lesion,) = complete_probes(["lesion"])
    done, failed, *others = (trial.id for trial in plan.trials)
    with Recorder(store, plan.name) as recorder:
        recorder.put(Measured(done, lesion.kind, lesion.key, {}, {"scalars": {"one_unit": 1.0}}))
        recorder.put(Measured(failed, lesion.kind, lesion.key, {}, {"failed": "no unit"}))
        assert recorder.flush()
    blocks, _ = blocks_of(store, plan, probes=(lesion,))
    assert sorted(trial for pack in handed_out(blocks) for trial in pack.trials.values()) == sorted(others)
