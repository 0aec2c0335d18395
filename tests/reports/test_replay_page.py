"""The page of a replayed search: what trains nothing must not read as a study that is under way."""

import csv
import io
import re
from dataclasses import replace

import pytest

from reports.analysis.samplers import Worth, called, comparison
from reports.findings import find
from reports.page import report_files, write_report
from reports.sections import data, failures, header, provenance
from reports.sentences import empty
from reports.sentences import samplers as sentences
from reports.sentences.checklist import checklist
from reports.sentences.headline import headline, replayed
from tests.reports import searches, small
from tests.reports.small import WAITING, near


@pytest.fixture(scope="module")
def files() -> dict[str, str | bytes]:
    return report_files(searches.replay())


@pytest.fixture(scope="module")
def page(files) -> str:
    return str(files["index.html"]).replace("\N{NO-BREAK SPACE}", " ")


def test_its_command_is_that_of_a_replay_and_no_other_makes_the_page_again(page):
    assert "orchestrate run hunt.yaml --executor replay<" in page
    assert "orchestrate report" not in page
    assert "orchestrate query" not in page
    assert "sqlite" not in page
    others = [command for command, _ in data.build(find(searches.searched())).content.commands]
    assert "orchestrate report hunt" in others


def test_nothing_is_said_to_come_or_to_have_been_confirmed(page):
    text = re.sub("<[^>]+>", " ", page.split("<script")[0])
    for words in (" yet", "0 were confirmed", "of the confirmation", "is planned", "none finished", "0 trials"):
        assert words not in text
    assert "A replay trains nothing, and no confirmation of an arm is on record." in text
    assert failures.build(find(searches.replay())) is None
    assert not header.build(find(searches.replay())).content.is_missing


def test_it_has_no_files_of_trials_and_no_host_of_which_nothing_is_known(files):
    assert not [name for name in files if name.startswith("data/")]
    assert "data/trials.csv" in report_files(searches.searched())
    assert provenance.build(find(searches.replay())).content.hosts == ()
    answers = dict(checklist(find(searches.replay())))
    assert answers["Number of runs"] == "none: a replay trains nothing"
    assert "tables/arms.csv" not in answers["Parameters of each model"]
    assert "Methods" not in answers["Hyper-parameters"]


def test_a_sampler_that_never_left_its_random_start_is_said_to_be_random_search():
    compared = comparison(searches.replay())
    tpe, nsga2 = compared.contests
    assert (tpe.worth, nsga2.worth, nsga2.p) == (Worth.YES, Worth.SAME, None)
    assert sentences.judgement(nsga2, compared) == (
        "nsga2: the same as random search with every seed: it draws its first 50 proposals, its first generation, at "
        "random (population_size), and a search has 30 arms."
    )
    (said, *_) = headline(find(searches.replay()))
    assert said == (
        "Against random search of equal time, tpe is worth its cost. With every seed nsga2 found the same as random "
        "search."
    )


def test_what_is_the_same_is_drawn_once_and_is_the_figure_of_the_first_screen(page):
    (lead,) = re.findall(r'<figure class="lead[^>]*data-figure="([^"]*)"', page)
    assert lead == "samplers"
    assert page.count(">random, nsga2</text>") == 4  # here and there, each broad and narrow
    assert "that of random is also that of nsga2" in page


def test_a_sampler_with_a_scheduler_has_a_name_without_a_comma():
    assert called("tpe, asha (factor 2, first_rung 1)") == "tpe with asha (factor 2, first_rung 1)"
    assert called("gp") == "gp"


def test_the_two_comparisons_of_a_sampler_are_with_different_things():
    compared = comparison(searches.replay())
    said = sentences.judgement(compared.contests[0], compared)
    assert re.search(
        r"Against the average of random search in as much time \(30 arms\) it ends −\S+ \[.*\] points.*, p below "
        r"0.001; against random search with the same seeds \(30 arms\), −\S+ \[.*\] points\.$",
        said,
    )


def test_the_table_leaves_out_what_is_chance_where_nothing_differs(files):
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(str(files["tables/samplers.csv"])))}
    assert float(rows["nsga2"]["difference"]) == 0.0
    assert rows["nsga2"]["at_cost"] == rows["nsga2"]["p"] == ""
    assert float(rows["tpe"]["at_cost"]) < 0


def test_a_replay_that_decides_nothing_says_so_in_a_sentence_and_has_no_bar_of_trials(tmp_path):
    whole = searches.replayed(*(searches.configuration(name, 0.0) for name in ("tpe", "gp", "random, asha")))
    said = replayed(find(whole))
    assert said == (
        "Against random search of equal time, it is open whether tpe, gp and random with asha are worth their cost."
    )
    bare = replace(whole, arms=(), trials=())
    head = write_report(bare, tmp_path).read_text()
    assert 'class="bar"' not in head
    waiting = small.study(("variant",), {("a",): near(3), ("b",): (WAITING, 3.0, 3.1)})
    assert 'class="bar"' in write_report(waiting, tmp_path / "waiting").read_text()


def test_a_replay_is_not_said_to_confirm_arms_later():
    replayed = searches.replayed(searches.configuration("tpe", gain=1.0))
    bare = replace(
        replayed,
        arms=tuple(arm for arm in replayed.arms if arm.levels["stage"] != "confirm"),
        trials=tuple(trial for trial in replayed.trials if "stage=confirm" not in trial.arm),
    )
    assert empty.table(find(bare)) == "A replay trains nothing, and no confirmation of an arm is on record."
    searching = {key: value for key, value in bare.search.items() if key != "comparison"}
    assert empty.table(find(replace(bare, search=searching))) == "No arm is confirmed yet."
