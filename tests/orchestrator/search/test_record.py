"""Which choice matters: over all arms, and for what a condition switches off over the arms that have it."""

import math

import optuna
import pytest

from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.record import FEWEST_ARMS, importance
from orchestrator.search.source import SearchSource
from tests.orchestrator.search.conftest import plan_of, train

FACTORS = {
    "shortcut": ["identity", "none"],
    "width": [1, 2],
    "training.lr": {"low": 0.01, "high": 0.5, "log": True, "when": {"shortcut": "identity"}},
}


def error(pack):
    """Return an error that the rate decides where there is one to choose, and the width elsewhere a little."""
    network, lr = pack.settings["network"], pack.settings["training"]["lr"]
    return network["width"] + (100 * lr if network["shortcut"] == {"op": "identity"} else 20)


@pytest.fixture(scope="module")
def optimization(planned_arms):
    plan = plan_of(factors=FACTORS, search={"arms": 30, "sampler": "random"})
    source = SearchSource(plan, MemoryLedger(), planned_arms=planned_arms)
    list(train(source, error))
    return source.optimizations["search"]


def test_a_parameter_that_a_condition_switches_off_is_told_among_the_arms_that_have_it(optimization):
    found = {(each["method"], each["where"]): each for each in importance(optimization)}
    assert set(found) == {
        (method, where) for method in ("PED-ANOVA", "fANOVA") for where in (None, "shortcut is identity")
    }
    everywhere, among = found["fANOVA", None], found["fANOVA", "shortcut is identity"]
    assert set(everywhere["shares"]) == {"shortcut", "width"}
    assert set(among["shares"]) == {"training.lr", "width"}
    assert among["shares"]["training.lr"] > 0.9
    own = [trial for trial in optimization.study.trials if "training.lr" in trial.params and trial.values]
    assert among["arms"] == len(own) < everywhere["arms"]
    assert all(sum(each["shares"].values()) == pytest.approx(1) for each in found.values())


def test_an_arm_that_was_proposed_again_counts_once(optimization):
    assert any(each.status == "answered" for each in optimization.proposals)
    assert {each["arms"] for each in importance(optimization) if each["where"] is None} == {len(optimization.scores)}


def test_too_few_arms_with_a_parameter_say_nothing_about_it(planned_arms):
    plan = plan_of(factors=FACTORS, search={"arms": FEWEST_ARMS, "sampler": "random"})
    source = SearchSource(plan, MemoryLedger(), planned_arms=planned_arms)
    list(train(source, error))
    assert {each["where"] for each in importance(source.optimizations["search"])} == {None}


def test_a_condition_says_itself_in_words():
    factors = {**FACTORS, "training.lr": {**FACTORS["training.lr"], "when": {"shortcut": ["none"], "width": [2, 1]}}}
    (condition,) = plan_of(factors=factors).space.conditions.values()
    assert str(condition) == "shortcut is none and width is 1 or 2"


@pytest.mark.parametrize(("arms", "best"), [(10, 5), (50, 5), (51, 6), (300, 30)])
def test_ped_anova_is_asked_about_five_arms_at_least_and_a_tenth_of_many(arms, best, monkeypatch):
    asked = []
    evaluator = optuna.importance.PedAnovaImportanceEvaluator

    def noted(**given):
        asked.append(math.ceil(given["target_quantile"] * arms))
        return evaluator(**given)

    monkeypatch.setattr("optuna.importance.PedAnovaImportanceEvaluator", noted)
    plan = plan_of(factors={"training.lr": {"low": 0.01, "high": 0.5}}, search={"arms": arms, "sampler": "random"})
    source = SearchSource(plan, MemoryLedger())
    list(train(source, lambda pack: pack.settings["training"]["lr"]))
    told = next(each for each in importance(source.optimizations["search"]) if each["method"] == "PED-ANOVA")
    assert asked == [best]
    assert told["question"] == f"which choice tells the best {best} arms from the rest?"
