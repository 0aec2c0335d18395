"""The bound of 5 % itself counts as reached, in verdicts, tables, rankings and searches alike."""

from types import SimpleNamespace

import pytest

from reports.analysis.grounds import _outcome
from reports.analysis.judged import Conclusion
from reports.analysis.many import holm
from reports.analysis.samplers import Contest, Difference, Worth
from reports.analysis.threshold import ALPHA, decides
from reports.sections.main_files import _change
from reports.sentences.confirmation import _side


@pytest.mark.parametrize(
    ("p", "decided"), [(0.05, True), (0.05 * (1 + 1e-15), True), (0.0500001, False), (0.0499999, True), (None, False)]
)
def test_a_p_decides_when_it_is_at_most_alpha(p, decided):
    assert decides(p) is decided


def test_holms_p_at_the_bound_survives_the_rounding_of_its_product():
    for count in range(1, 2000):
        assert decides(max(holm([ALPHA / count] * count))), count


@pytest.mark.parametrize(("p", "clear"), [(0.05, True), (0.0500001, False)])
def test_every_place_holds_the_same_bound(p, clear):
    contrast = SimpleNamespace(p=p, p_holm=p, estimate=-1.0, differences={0: -1.0}, arm=SimpleNamespace(name="a"))
    assert _side(contrast, ALPHA) == ("less" if clear else "")
    assert _outcome(SimpleNamespace(support=p, refute=1.0), ALPHA) is (
        Conclusion.SUPPORTED if clear else Conclusion.INCONCLUSIVE
    )
    contest = SimpleNamespace(is_same=False, p=p, at_cost=Difference(-1.0, -2.0, -0.1))
    assert Contest.worth.fget(contest) is (Worth.YES if clear else Worth.OPEN)


def test_the_star_of_the_latex_table_is_there_at_the_bound(monkeypatch):
    monkeypatch.setattr("reports.sections.main_files.has_fails", lambda *_: False)
    for p, star in ((0.05, True), (0.0500001, False)):
        findings = SimpleNamespace(alpha=ALPHA, contrasts={"a": SimpleNamespace(estimate=-1.0, p_holm=p)})
        assert ("*" in _change(findings, SimpleNamespace(arm=SimpleNamespace(name="a")))) is star
