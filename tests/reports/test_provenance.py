"""What the provenance answers from the record, and the hash of the results that the page rests on."""

from dataclasses import replace

import pytest

from reports.findings import find
from reports.results import History, PlanVersion
from reports.sections import provenance
from reports.sections.provenance import build, results_hash
from reports.sentences.checklist import UNKNOWN, checklist
from tests.reports import searches, studies
from tests.reports.small import WAITING, found, near


def answers(whole):
    return dict(checklist(find(whole)))


def test_the_checklist_is_answered_from_the_study():
    said = answers(studies.troubled())
    assert said["Number of runs"] == "3 for 6 arms, 2 for 2 arms and 1 for 1 arm so far; the seeds 0–2 are planned"
    assert said["Runs that failed"] == "8 fails counted as results, 1 crash"
    assert said["Computing infrastructure"] == "cpu"
    assert "GPU-hours" not in said["Training time"]


def test_what_is_not_on_record_is_said_to_be_missing():
    said = answers(replace(studies.without_results(), git=None))
    assert said["Version of the code"] == UNKNOWN
    assert said["Training time"] == UNKNOWN
    assert said["Number of runs"] == "none finished"


def test_a_search_is_not_said_to_tune_nothing_and_another_study_is():
    assert (
        "by the validation error alone, on 20 % of the training images"
        in answers(searches.searched())["Hyper-parameter search"]
    )
    assert answers(studies.degradation())["Hyper-parameter search"].startswith("none")


def test_training_on_gpus_is_told_in_gpu_hours():
    whole = found(("variant",), {("a",): near(3)}).study
    trials = tuple(replace(trial, device="cuda:0", seconds=3600.0) for trial in whole.trials)
    assert "; 3.00 GPU-hours" in answers(replace(whole, trials=trials))["Training time"]


def test_the_hash_of_the_results_changes_with_a_result_and_with_nothing_else():
    whole = studies.degradation()
    same = replace(whole, question="Another?", trials=tuple(reversed(whole.trials)), command="x")
    other = replace(whole, trials=(replace(whole.trials[0], test_error=0.1), *whole.trials[1:]))
    assert results_hash(same) == results_hash(whole)
    assert results_hash(other) != results_hash(whole)


@pytest.mark.parametrize(("asked", "said"), [({True}, "on: "), ({False}, "off: "), ({True, False}, "differs by arm")])
def test_the_checklist_says_whether_training_was_deterministic(asked, said):
    whole = studies.degradation()
    whole = replace(whole, trials=tuple(replace(each, device="cuda:0") for each in whole.trials))
    flags = sorted(asked)
    arms = tuple(
        replace(arm, settings={**arm.settings, "training": {"deterministic": flags[at % len(flags)]}})
        for at, arm in enumerate(whole.arms)
    )
    assert answers(replace(whole, arms=arms))["Determinism"].startswith(said)
    bare = tuple(replace(arm, settings={}) for arm in whole.arms)
    assert answers(replace(whole, arms=bare))["Determinism"] == UNKNOWN


def test_the_checksum_of_the_data_is_told():
    version = PlanVersion(1, studies.START, {"data": ["abc123"]}, "d", 0)
    whole = replace(studies.degradation(), history=History((version,)))
    assert answers(whole)["Data and split"] == "digits, the sizes of its split not on record, checksum abc123"


def test_a_fact_of_the_checklist_is_told_once():
    content = build(find(studies.degradation())).content
    assert {"Data", "Determinism", "Training time"}.isdisjoint(dict(content.facts))


def test_on_a_cpu_nothing_is_said_of_what_gpus_use():
    whole = studies.degradation()
    arms = tuple(replace(arm, settings={**arm.settings, "training": {"lr": 0.1}}) for arm in whole.arms)
    said = answers(replace(whole, arms=arms))["Determinism"]
    assert said.startswith("on a CPU trials repeat themselves bit for bit")
    assert "cuDNN" not in said


def test_an_attempt_that_was_interrupted_is_no_trial_of_its_device():
    whole = found(("variant",), {("a",): (*near(3), WAITING)}).study
    trials = tuple(replace(each, device="cpu") for each in whole.trials)
    assert dict(build(find(replace(whole, trials=trials))).content.facts)["Devices"] == "cpu (3 trials)"


def test_the_energy_of_the_trials_that_tell_it_is_added():
    whole = found(("variant",), {("a",): near(3)}).study
    trials = tuple(
        replace(trial, seconds=60.0, telemetry={"energy_joules": 3.6e5} if at else {})
        for at, trial in enumerate(whole.trials)
    )
    said = answers(replace(whole, trials=trials))["Training time"]
    assert said.endswith("energy at most 0.2 kWh for 2 of 3 trials, counting the whole device for each trial on it")


def test_the_determinism_that_settings_leave_at_its_default_is_told():
    whole = studies.degradation()
    arms = tuple(replace(arm, settings={**arm.settings, "training": {"lr": 0.1}}) for arm in whole.arms)
    said = dict(provenance.build(find(replace(whole, arms=arms))).content.checklist)["Determinism"]
    assert "repeat themselves bit for bit" in said
