"""A study changed after its first result, through whole runs: what the verdicts then say."""

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestrator import RunOptions, run_study
from orchestrator.cli import app
from reports.analysis.badges import LEFT_OUT, POST_HOC, UNPLANNED
from reports.analysis.verdicts import Verdict
from tests.integration.made_up import MadeUp

INLINE = RunOptions(executor="inline", report=False)
NULL = (0.1, -1.2, 0.9, 0.3, -1.0, 1.1, 0.2, -0.9, -1.1, 0.8, 0.6, -1.3)
"""What `alike` lacks against `good`, by seed: no difference at all on average over the twelve."""
FILE = """\
study: NAME
network: {family: resnet_cifar, width: 2}
factors:
  depth: DEPTHS
  variant:
    good: {}
    alike: {shortcut: {op: scale, shortcut: 0.5, residual: 0.5}}
training: {recipe: quick, epochs: 1}
seeds: SEEDS
fail_above: ABOVE
analysis: {alpha: ALPHA}
claims: CLAIMS
"""
CLAIM = "[{id: it, says: alike < good}]"


def error(settings, seed: int) -> float:
    network = settings["network"]
    if network["shortcut"]["op"] == "identity":
        return 5 + 0.1 * (seed % 3)
    against = 0.0 if network["depth"] == 8 else 4 + 0.1 * seed
    return 5 + 0.1 * (seed % 3) + NULL[seed % 12] + against


@pytest.fixture(autouse=True)
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    monkeypatch.setattr("orchestrator.study.make_backend", lambda *_: MadeUp(error))


def written(name="made-up", depths="[8]", seeds="12", above="80", alpha="0.05", claims=CLAIM) -> Path:
    text = FILE
    given = {"NAME": name, "DEPTHS": depths, "SEEDS": seeds, "ABOVE": above, "ALPHA": alpha, "CLAIMS": claims}
    for key, value in given.items():
        text = text.replace(key, value)
    Path("made-up.yaml").write_text(text)
    return Path("made-up.yaml")


def ran(**changes: str) -> Verdict:
    return next(each for each in run_study(written(**changes), options=INLINE).verdicts if each.id == "it")


def test_chosen_seeds_win_nothing() -> None:
    assert ran().changes == ()
    found = ran(seeds="[1, 4, 7, 8, 11]")
    assert found.contexts[0].p_support < 0.001  # what they would say alone
    assert found.verdict == "Inconclusive"
    assert LEFT_OUT in found.badges
    assert "7 seeds of these arms exist and are left out" in found.sentence
    assert ran().changes == ()


def test_chosen_seeds_win_nothing_in_a_study_of_another_name_either() -> None:
    ran()
    found = ran(name="fresh", seeds="[1, 4, 7, 8, 11]")
    assert (found.verdict, LEFT_OUT in found.badges) == ("Inconclusive", True)
    assert "when its results were on record" in found.sentence


def test_a_claim_read_off_in_one_study_and_made_in_another_is_post_hoc_there() -> None:
    run_study(written(claims="[]", seeds="5"), options=INLINE)
    found = ran(name="next", seeds="6")
    assert POST_HOC in found.badges
    assert "first planned on" in found.sentence


def test_a_dropped_context_is_said_and_counts() -> None:
    assert ran(depths="[8, 14]", seeds="[1, 4, 7, 8, 11]").verdict == "Refuted"
    found = ran(depths="[8]", seeds="[1, 4, 7, 8, 11]")
    assert found.verdict == "Inconclusive"
    assert found.contexts[0].p_support < 0.025  # by itself what was kept would support the claim
    assert "With the comparisons that were planned, at depth 14: the effect is -" in found.sentence
    assert POST_HOC in found.badges
    assert "1 comparison dropped on" in found.sentence


@pytest.mark.parametrize(
    ("first", "claims"),
    [
        ("it", "[{id: it, says: alike < good, where: depth == 8}]"),
        ("it", "[{id: it, says: alike < good, by: 0.0000001}]"),
        ("another", "[{id: it, says: good > alike}]"),
        ("it", "[{id: it, says: alike and depth=8 < good and depth=8}]"),
        ("another", "[{id: it, says: good and depth=8 > alike and depth=8, by: 0.0000001}]"),
        ("another", "[{id: another, says: good == alike, within: 9}, {id: it, says: alike < good}]"),
    ],
)
def test_editing_the_sentence_drops_no_context(first: str, claims: str) -> None:
    planned = written(depths="[8, 14]", seeds="[1, 4, 7, 8, 11]", claims=CLAIM.replace("it", first, 1))
    run_study(planned, options=INLINE)
    found = ran(depths="[8]", seeds="[1, 4, 7, 8, 11]", claims=claims)
    assert (found.verdict, POST_HOC in found.badges) == ("Inconclusive", True)
    assert "With the comparisons that were planned, at depth 14" in found.sentence


def test_a_sentence_moved_to_another_context_is_held_against_the_one_that_was_planned() -> None:
    at = "[{id: it, says: alike < good, where: depth == %d}]"
    assert ran(depths="[8, 14]", seeds="[1, 4, 7, 8, 11]", claims=at % 14).verdict == "Refuted"
    found = ran(depths="[8, 14]", seeds="[1, 4, 7, 8, 11]", claims=at % 8)
    assert (found.verdict, POST_HOC in found.badges) == ("Inconclusive", True)
    assert "With the comparisons that were planned, at depth 14" in found.sentence


def test_renaming_the_levels_drops_no_context() -> None:
    ran(depths="[8, 14]", seeds="[1, 4, 7, 8, 11]")
    file = written(depths="[8]", seeds="[1, 4, 7, 8, 11]", claims="[{id: it, says: new < old}]")
    file.write_text(file.read_text().replace("good: {}", "old: {}").replace("alike: {", "new: {"))
    (found,) = run_study(file, options=INLINE).verdicts
    assert (found.verdict, POST_HOC in found.badges) == ("Inconclusive", True)
    assert "With the comparisons that were planned, at depth 14" in found.sentence


def test_swapping_the_names_of_two_levels_turns_no_verdict_round_unseen() -> None:
    assert ran(depths="[14]").verdict == "Refuted"
    file = written(depths="[14]")
    text = file.read_text().replace("good: {}", "swapped: {}").replace("alike: {", "good: {")
    file.write_text(text.replace("swapped: {}", "alike: {}"))
    (found,) = run_study(file, options=INLINE).verdicts
    assert (found.verdict, POST_HOC in found.badges) == ("Supported", True)
    assert "1 comparison turned round by what its levels now stand for" in found.sentence


def test_how_a_claim_is_spaced_and_what_it_leaves_at_its_default_is_no_change() -> None:
    ran()
    assert ran(claims="[{id: it, says: 'alike<good', by: 0, over: every}]").changes == ()


def test_seeds_that_are_left_after_a_deletion_are_a_choice_of_all_that_had_results() -> None:
    ran()
    done = CliRunner().invoke(app, ["delete", "made-up", "--yes"])
    assert done.exit_code == 0
    found = ran(seeds="[1, 4, 7, 8, 11]")
    assert found.verdict == "Inconclusive"
    assert found.p_look == pytest.approx(792 * 2 * found.contexts[0].p_support)
    assert "5 of 12 seeds with results can be kept in 792 ways" in found.sentence


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alpha": "0.3"}, "alpha changed from 0.05 to 0.3"),
        ({"above": "70"}, "fail_above changed from 80 to 70"),
        ({"claims": "[{id: it, says: alike < good, by: 0.1}]"}, "changed from says: alike < good"),
        ({"claims": "[{id: it, says: alike < good, test: sign}]"}, "changed from says: alike < good"),
    ],
)
def test_an_analysis_changed_after_the_results_is_said(change: dict[str, str], says: str) -> None:
    ran()
    found = ran(**change)
    assert POST_HOC in found.badges
    assert says in found.sentence


def test_seeds_grown_by_hand_are_judged_by_their_e_value() -> None:
    for seeds in ("3", "5", "8"):
        ran(seeds=seeds)
    found = ran(seeds="12")
    assert UNPLANNED in found.badges
    assert "9 seeds added to the 3 planned" in found.sentence


def test_planned_looks_are_no_growth() -> None:
    assert ran(seeds="{looks: [3, 5, 8]}").changes == ()
    assert ran(seeds="{looks: [3, 5, 8]}").changes == ()
    found = ran(seeds="{looks: [3, 5, 8, 12]}")
    assert "looks changed from 3, 5, 8 to 3, 5, 8, 12" in found.sentence
    assert [each.n for each in found.looks] == [3, 5, 8][: len(found.looks)]


def frozen(*words: str) -> str:
    done = CliRunner().invoke(app, ["freeze", "made-up.yaml", *words])
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_the_hash_of_a_plan_is_that_of_its_text_and_of_the_version_on_record() -> None:
    result = run_study(written(), options=INLINE)
    assert frozen() == hashlib.sha256(frozen("--whole").encode()).hexdigest()
    assert [each.digest for each in result.study.history.versions] == [frozen()]


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": "11"},
        {"seeds": "{looks: [3, 12]}"},
        {"alpha": "0.04"},
        {"above": "70"},
        {"claims": "[]"},
        {"depths": "[8, 14]"},
    ],
)
def test_the_hash_covers_the_whole_plan(change: dict[str, str]) -> None:
    written()
    before = frozen()
    written(**change)
    assert frozen() != before


def test_the_hash_leaves_out_what_changes_no_result() -> None:
    file = written()
    before = frozen()
    file.write_text(file.read_text().replace("study: made-up", "study: renamed") + "resources: {cpus: 2}\n# more\n")
    assert frozen() == before


@pytest.mark.parametrize("looks", ["[12]", "[4, 12]", "[3, 6]", "[3]", "[3, 4, 5, 6, 7, 12]"])
def test_looks_that_were_taken_back_are_still_those_that_judge(looks: str) -> None:
    """Fewer looks would leave each a larger part of alpha."""
    ran(seeds="{looks: [3, 5, 8]}")
    found = ran(seeds=f"{{looks: {looks}}}")
    assert f"looks changed from 3, 5, 8 to {looks.strip('[]')}" in found.sentence
    assert POST_HOC in found.badges
    assert [each.n for each in found.looks] == [3, 5, 8][: len(found.looks)] != []
