"""From claims to verdicts through whole runs: adaptive seeds, A/A seeds, post-hoc claims, strict exit codes, plans."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestrator import RunOptions, run_study
from orchestrator.cli import app
from orchestrator.errors import UserError
from reports.results import Study
from tests.integration.made_up import Errors, MadeUp

INLINE = RunOptions(executor="inline", report=False)
FILE = """\
study: made-up
data: digits
network: {family: resnet_cifar, width: 2, depth: 8}
factors:
  variant:
    good: {}
    bad: {shortcut: none}
    alike: {shortcut: {op: scale, shortcut: 0.5, residual: 0.5}}
baseline: {variant: good}
training: {recipe: quick, epochs: 1}
seeds: SEEDS
fail_above: 20
claims:
  - {id: clear, says: good < bad}
  - {id: unclear, says: good < alike}
"""
WIGGLE = (0.9, -0.3, 0.7, -0.1, 1.2, -0.4, 0.8, 0.2, 0.6, -0.2, 0.9, 0.1)


def error(settings: dict[str, Any], seed: int) -> float:
    """`bad` is ten points worse, `alike` a third of a point on average, with a spread that hides it."""
    base = 5 + 0.1 * (seed % 3)
    shortcut = settings["network"]["shortcut"]["op"]
    return base + {"identity": 0.0, "none": 10 + 0.05 * seed, "scale": WIGGLE[seed % 12]}[shortcut]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ORCHESTRATE_DB", raising=False)
    answer(monkeypatch, error)
    return written("{looks: [3, 5, 8]}")


def answer(monkeypatch: pytest.MonkeyPatch, errors: Errors) -> MadeUp:
    """Let every run from now on get its errors from here, and return what will have been asked."""
    executor = MadeUp(errors)
    monkeypatch.setattr("orchestrator.study.make_backend", lambda *_: executor)
    return executor


def written(seeds: str, claims: str | None = None) -> Path:
    text = FILE.replace("SEEDS", seeds)
    if claims is not None:
        text = text.partition("claims:")[0] + claims
    Path("made-up.yaml").write_text(text)
    return Path("made-up.yaml")


def seeds_by_arm(found: Study) -> dict[str, int]:
    return dict(Counter(trial.arm.removeprefix("variant=") for trial in found.trials))


def test_looks_add_seeds_for_the_undecided_claim_alone(study: Path) -> None:
    result = run_study(study, options=INLINE)
    assert seeds_by_arm(result.study) == {"good": 8, "bad": 3, "alike": 8}
    assert [str(each.verdict) for each in result.verdicts] == ["Supported", "Inconclusive"]
    assert [each.decided_at_look for each in result.verdicts] == [1, None]


def test_a_second_run_of_a_study_with_looks_trains_nothing(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = run_study(study, options=INLINE).study
    asked = answer(monkeypatch, error)
    assert run_study(study, options=INLINE).study.trials == before.trials
    assert asked.trained == []


def test_looks_stop_when_every_claim_is_decided(study: Path) -> None:
    file = written("{looks: [3, 5, 8]}", "claims: [{id: clear, says: good < bad}]\n")
    assert seeds_by_arm(run_study(file, options=INLINE).study) == {"good": 3, "bad": 3, "alike": 3}


def test_looks_give_up_a_claim_that_the_last_one_will_not_decide(study: Path) -> None:
    # Five seeds that all agree give a sign test p = 0.0625: nothing is left to wait for.
    file = written("{looks: [3, 5]}", "claims: [{id: hopeless, says: good < alike, test: sign}]\n")
    assert seeds_by_arm(run_study(file, options=INLINE).study) == {"good": 3, "bad": 3, "alike": 3}


def test_an_undecided_claim_says_how_many_seeds_would_do(study: Path) -> None:
    unclear = run_study(study, options=INLINE).verdicts[1]
    assert "If the effect is what it looks like, about" in unclear.sentence


def test_terminal_and_report_say_what_the_looks_saved(study: Path) -> None:
    done = CliRunner().invoke(app, ["run", str(study), "--executor", "inline"])
    assert done.exit_code == 0
    assert "19 trials instead of 24, 5 saved" in done.stdout
    assert "19 trials instead of 24, 5 saved" in Path("out/made-up/index.html").read_text()


def test_the_baseline_is_repeated_with_seeds_that_no_other_arm_has(study: Path) -> None:
    result = run_study(written("{aa: true, count: 3}"), options=INLINE)
    assert [each.seed for each in result.study.trials_of("variant=good")] == [0, 1, 2, 3, 4, 5]
    assert [each.seed for each in result.study.trials_of("variant=bad")] == [0, 1, 2]
    assert {each.n for each in result.verdicts} == {3}


def test_looks_and_repeated_seeds_go_together(study: Path) -> None:
    result = run_study(written("{aa: true, looks: [3, 5]}"), options=INLINE)
    good = sorted(each.seed for each in result.study.trials if each.arm == "variant=good")
    assert good == [0, 1, 2, 3, 4, 5, 6, 7]
    assert [len(each.looks) for each in result.verdicts] == [1, 2]


def test_terminal_and_report_show_the_noise_floor(study: Path) -> None:
    done = CliRunner().invoke(app, ["run", str(written("{aa: true}")), "--executor", "inline"])
    assert "against itself with other seeds (0–2 and 3–5) differs by 0.00 points" in done.stdout
    assert "against itself with other seeds (0–2 and 3–5)" in Path("out/made-up/index.html").read_text()


def test_repeated_seeds_need_a_baseline(study: Path) -> None:
    study.write_text(written("{aa: true}").read_text().replace("baseline: {variant: good}\n", ""))
    with pytest.raises(UserError, match=r"made-up\.yaml:10: seeds\.aa: .*baseline: \{variant: good\}"):
        run_study(study, options=INLINE)


def test_looks_and_count_together_are_refused(study: Path) -> None:
    with pytest.raises(UserError, match=r"made-up\.yaml:11: seeds: looks and count"):
        run_study(written("{looks: [3, 5], count: 3}"), options=INLINE)


def test_a_claim_edited_after_results_is_post_hoc_with_date_and_change(study: Path) -> None:
    run_study(written("3"), options=INLINE)
    study.write_text(study.read_text().replace("good < bad}", "good < bad, by: 9}"))
    clear, unclear = run_study(study, options=RunOptions(executor="inline")).verdicts
    assert clear.post_hoc is not None
    assert clear.post_hoc.startswith("changed from says: good < bad on 20")
    assert "post hoc" in clear.badges
    assert clear.p_holm == pytest.approx(3 * clear.p_look)  # among all three sentences that were ever claimed
    assert unclear.post_hoc is None
    assert "changed from says: good &lt; bad on 20" in Path("out/made-up/index.html").read_text()


def test_a_rerun_without_edits_marks_no_claim(study: Path) -> None:
    run_study(written("3"), options=INLINE)
    study.write_text("# a comment is no edit\n" + study.read_text())
    assert [each.post_hoc for each in run_study(study, options=INLINE).verdicts] == [None, None]


def test_an_edit_that_is_taken_back_leaves_no_mark(study: Path) -> None:
    text = written("3").read_text()
    run_study(study, options=INLINE)
    study.write_text(text.replace("good < bad}", "good < bad, by: 9}"))
    run_study(study, options=INLINE)
    study.write_text(text)
    assert [each.post_hoc for each in run_study(study, options=INLINE).verdicts] == [None, None]


def test_a_claim_declared_on_results_that_exist_is_post_hoc(study: Path) -> None:
    run_study(written("3", "claims: []\n"), options=INLINE)
    late = run_study(written("3", "claims: [{id: late, says: good < bad}]\n"), options=INLINE).verdicts[0]
    assert late.post_hoc is not None
    assert late.post_hoc.startswith("added on 20")


@pytest.mark.parametrize(
    ("says", "verdict", "code"),
    [("good < bad", "Supported", 0), ("bad < good", "Refuted", 3), ("good < alike", "Inconclusive", 4)],
)
def test_a_strict_report_ends_with_a_code_for_its_verdicts(study: Path, says: str, verdict: str, code: int) -> None:
    run_study(written("3", f"claims: [{{id: it, says: {says}}}]\n"), options=INLINE)
    runner = CliRunner()
    assert verdict in runner.invoke(app, ["report", "made-up"]).stdout
    assert runner.invoke(app, ["report", "made-up"]).exit_code == 0
    assert runner.invoke(app, ["report", "made-up", "--strict"]).exit_code == code


def test_a_strict_report_with_refuted_and_inconclusive_claims_tells_of_the_refuted(study: Path) -> None:
    run_study(written("3", "claims: [{id: a, says: bad < good}, {id: b, says: good < alike}]\n"), options=INLINE)
    assert CliRunner().invoke(app, ["report", "made-up", "--strict"]).exit_code == 3


def test_verdicts_are_in_the_database_for_sql(study: Path) -> None:
    run_study(written("3"), options=INLINE)
    sql = "SELECT claim, verdict, n FROM verdict_results ORDER BY claim"
    done = CliRunner().invoke(app, ["query", sql, "--format", "json"])
    assert [tuple(each.values()) for each in json.loads(done.stdout)] == [
        ("clear", "Supported", 3),
        ("unclear", "Inconclusive", 3),
    ]


def planned(*words: str) -> str:
    done = CliRunner().invoke(app, ["plan", "made-up.yaml", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_plan_without_any_results_names_the_smallest_effect_in_sds(study: Path) -> None:
    written("5")
    assert "claim clear: 5 seeds see an effect of 1.68 SDs of the differences by seed" in planned()
    written("3")
    assert "claim clear: 3 seeds decide only what rare outliers could not undo" in planned()


def test_a_plan_takes_the_spread_from_trials_of_its_arms_in_another_study(study: Path) -> None:
    run_study(written("3"), options=INLINE)
    study.write_text(study.read_text().replace("study: made-up", "study: next").replace("seeds: 3", "seeds: 5"))
    text = planned()
    assert "claim unclear: 5 seeds see an effect of" in text
    assert "from 2 arms on record, 4 degrees of freedom" in text


def test_a_plan_expects_of_its_seeds_what_is_on_record(study: Path) -> None:
    run_study(written("3"), options=INLINE)
    written("5")
    assert "claim unclear" in planned()
    assert "5 seeds will probably leave the claim open; about" in planned()


def test_a_plan_says_when_a_study_cannot_answer_its_question(study: Path) -> None:
    written("3", 'claims: [{id: rate, says: bad fails, rate: "> 0.5"}]\n')
    text = planned()
    assert "3 seeds cannot decide a fail rate > 0.5: it takes 6, even if they all agree." in text
    assert "this study cannot answer its question: 3 seeds cannot settle rate" in text
