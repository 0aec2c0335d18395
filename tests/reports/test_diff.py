"""Two reports held against each other: what moved, with intervals, and what the page says of it."""

import json
from dataclasses import replace

import pytest

from reports.analysis.badges import UNLIKE
from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.diff import compare
from reports.diff_formats import diff_text
from reports.findings import find
from reports.page import write_report
from reports.sentences.changes import sentences_of
from reports.summary import canonical, summary_of
from tests.reports.small import study

LESS, MORE = (3.0, 3.11, 3.2, 3.05, 3.12), (6.0, 6.1, 6.21, 6.1, 6.15)
CLAIM = {"id": "b-better", "says": "b < a"}


def made(errors, **settings):
    plain = study(("variant",), {(name,): by_seed for name, by_seed in errors.items()}, baseline={"variant": "a"})
    return replace(plain, settings={**plain.settings, "claims": [CLAIM], **settings})


def summary(whole):
    verdicts = judge(whole, parse_claims(whole.settings["claims"], whole.factors))
    return json.loads(canonical(summary_of(find(whole, verdicts))))


FIRST = made({"a": MORE, "b": LESS})
SECOND = made({"a": MORE, "b": (8.0, 8.11, 8.3, 8.1, 8.15), "c": LESS}, fail_above=30)


def test_a_study_does_not_differ_from_itself():
    found = compare(summary(FIRST), summary(FIRST))
    assert sentences_of(found) == ()
    assert not found.has_moved()
    assert [each.same for each in found.arms] == [True, True]


def test_what_differs_is_told_by_setting_arm_verdict_and_interval():
    found = compare(summary(FIRST), summary(SECOND))
    assert found.verdicts == (("b-better", "Supported", "Refuted"),)
    assert found.has_moved()
    assert ("fail_above", "20", "30") in found.settings
    assert found.added == ("variant=c",)
    (moved,) = [each for each in found.arms if not each.same]
    assert moved.difference == pytest.approx(5.03, abs=0.01)
    assert moved.low < 5.03 < moved.high


def test_a_claim_differs_by_what_it_says_and_null_is_no_other_setting_than_none():
    errors = {"a": MORE, "b": LESS}
    changed = made(errors, claims=[{**CLAIM, "says": "a < b"}])
    found = compare(summary(made(errors, keep=None)), summary(changed))
    assert found.settings == ((f"claims.{CLAIM['id']}.says", CLAIM["says"], "a < b"),)


def test_arms_with_fails_have_counts_and_no_difference():
    found = compare(summary(FIRST), summary(made({"a": MORE, "b": (3.0, None, 3.1, 3.0, 3.1)})))
    (moved,) = [each for each in found.arms if not each.same]
    assert (moved.second_fails, moved.difference, moved.low) == (1, None, None)


@pytest.mark.parametrize("form", ["table", "markdown", "html", "json"])
def test_every_format_names_what_moved(form):
    text = diff_text(compare(summary(FIRST), summary(SECOND)), ("one", "two"), form)
    assert "Supported" in text
    assert "Refuted" in text
    if form == "json":
        assert json.loads(text)["verdicts"] == [{"claim": "b-better", "before": "Supported", "after": "Refuted"}]


def test_what_is_no_summary_is_refused():
    with pytest.raises(ValueError, match="no summary of a study"):
        compare({"study": "x"}, summary(FIRST))


def test_the_page_says_what_moved_since_the_report_before_and_keeps_saying_it(tmp_path):
    assert "first report of the study in its folder" in write_report(FIRST, tmp_path).read_text()
    write_report(SECOND, tmp_path)
    page = (tmp_path / "index.html").read_bytes()
    assert b"The verdict on b-better moved from Supported to Refuted." in page
    write_report(SECOND, tmp_path)
    assert (tmp_path / "index.html").read_bytes() == page


def test_an_arm_with_more_seeds_shares_trials_and_has_no_interval():
    found = compare(summary(FIRST), summary(made({"a": MORE, "b": (*LESS, 4.0, 4.1)})))
    (moved,) = [each for each in found.arms if not each.same]
    assert (moved.shared, moved.low) == (5, None)
    assert moved.difference == pytest.approx((4.0 + 4.1 + 5 * 3.096) / 7 - 3.096)
    assert "5 trials in both: no interval" in diff_text(found, ("one", "two"), "markdown")


def test_equal_results_of_other_settings_are_compared_and_not_called_the_same_trials():
    other = json.loads(json.dumps(summary(FIRST)))
    for arm in other["arms"]:
        arm["settings"]["training"] = {"lr": 0.5}
    found = compare(summary(FIRST), other)
    assert [(each.same, each.shared, each.difference) for each in found.arms] == [(False, 0, 0), (False, 0, 0)]
    assert all(each.low < 0 < each.high for each in found.arms)


def test_a_page_of_differences_counts_them_and_holds_hostile_names_as_text():
    page = diff_text(compare(summary(FIRST), summary(SECOND)), ("<script>x</script>", 'b"><img>'), "html")
    assert "<p>1 verdict moved.</p>" in page
    assert "of the 2 arms in both, 1 with other results" in page
    assert "<script" not in page
    assert "<img" not in page


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_where_nothing_differs_that_is_said(form):
    text = diff_text(compare(summary(FIRST), summary(FIRST)), ("one", "two"), form)
    assert "<p>Nothing differs.</p>" in text if form == "html" else text == "Nothing differs.\n"


def test_an_interval_between_unlike_spreads_is_marked():
    wide = (1.0, 9.0, 4.0, 12.0, 0.5)
    (moved, _) = compare(summary(made({"a": MORE, "b": LESS})), summary(made({"a": wide, "b": LESS}))).arms
    assert moved.badges == (UNLIKE,)
    changed = compare(summary(FIRST), summary(made({"a": wide, "b": LESS})))
    assert UNLIKE in diff_text(changed, ("first", "second"), "markdown")
    (alike,) = (each for each in compare(summary(FIRST), summary(SECOND)).arms if each.arm == "variant=b")
    assert alike.badges == ()
