"""Which figure stands beside the answer on the first screen."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reports.analysis.verdicts import judge_study
from reports.page import write_report
from reports.results import Study
from reports.sections import header
from reports.sections.margins import deciding_figure
from tests.reports.pairs.made import declared
from tests.reports.studies import arm, study, trial

CLAIM = {"says": "preact < original", "over": "every"}


def claiming(claims: Sequence[dict[str, object]]) -> Study:
    """Two units at three stems, which no numeric axis joins."""
    arms, trials = [], []
    for at, stem in enumerate(("narrow", "wide", "patches")):
        for unit in ("original", "preact"):
            one = arm({"stem": stem, "variant": unit}, stem=stem, activation=unit)
            arms.append(one)
            final = 8.0 - at - (unit == "preact")
            trials += [trial(len(trials) + seed, one.name, seed, final) for seed in range(3)]
    factors = {"stem": ("narrow", "wide", "patches"), "variant": ("original", "preact")}
    whole = study(arms, trials, factors)
    return replace(whole, settings={**whole.settings, "claims": list(claims)})


def lead_of(folder: Path, count: int) -> tuple[str, str]:
    """The name of the figure on the first screen, and where its caption leads to."""
    page = write_report(claiming([{"id": f"c{at}", **CLAIM} for at in range(count)]), folder).read_text()
    (found,) = re.findall(r'<figure class="lead[^>]*data-figure="([^"]*)".*?<a href="#([^"]*)">', page, re.DOTALL)
    return found


def test_claims_in_too_many_contexts_for_the_first_screen_stand_there_as_they_are_decided(tmp_path):
    assert lead_of(tmp_path / "few", 2) == ("claims", "figure-claims")
    assert lead_of(tmp_path / "many", 8) == ("claims-in-brief", "claims")
    assert not list((tmp_path / "many").rglob("claims-in-brief*"))  # the whole figure is the one in a file


def test_the_brief_figure_has_each_claim_of_one_unit_once_in_the_context_on_which_it_turns():
    share = {"id": "fails", "says": "original fails", "where": "stem == wide"}
    verdicts = judge_study(
        claiming([{"id": "a", **CLAIM}, share, {"id": "b", "says": "preact > original", "over": "any"}])
    )
    figure = deciding_figure(verdicts)
    assert [(row[0], row[2]) for row in figure.table.rows] == [("a", verdicts[0].estimate), ("b", verdicts[2].estimate)]
    assert figure.caption == (
        "2 of 3 claims, those in percentage points, each in the context on which its verdict turns"
    )
    assert deciding_figure(()) is None


def test_the_first_screen_has_the_decided_claims_where_it_has_no_room_for_all():
    found = declared(*["b < a"] * 6, "a < b", "b < a")
    verdicts = [each.verdict.value for each in found.verdicts]
    assert verdicts[6:] == ["Refuted", "Supported"]
    undecided = replace(found, verdicts=tuple(map(_open, found.verdicts[:6])) + found.verdicts[6:])
    content = header.build(undecided).content
    assert [line.verdict for line in content.claims] == ["Inconclusive"] * 4 + ["Refuted", "Supported"]
    assert content.more_claims == 2


def _open(verdict):
    return replace(verdict, verdict=type(verdict.verdict).INCONCLUSIVE)
