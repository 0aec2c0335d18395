"""The report of a search: the confirmation alone in the tables, what the search saw in a section of its own."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.analysis.search import best_so_far, confirmations, confirmed_view, nearest_earlier, searched
from reports.figures.parallel import level_scale, number_scale
from reports.figures.search import slice_drawing
from reports.figures.ticks import log_ticks
from reports.findings import find
from reports.page import write_report
from reports.results import Study
from reports.sections import confirmation, header, provenance, search
from reports.sections.confirmation import conclusions
from reports.trials import Arm, State, Trial
from tests.reports.searches import configuration, replayed
from tests.reports.searches import searched as searched_study

ERRORS = {"a": 8.0, "b": 5.0, "c": None, "d": 6.0}
TEST = {"a": (7.0, 7.2, 7.1), "b": (6.0, 6.4, 6.1)}


def proposal(number, arm, error, **changes):
    state = "COMPLETE" if error is not None else "PRUNED"
    whole = {
        "number": number,
        "arm": f"stage=search kind={arm}",
        "origin": "sampler" if number else "baseline",
        "status": "trained",
        "reason": None,
        "params": {"kind": arm, "lr": 0.1 * (number + 1)},
        "state": state,
        "values": None if error is None else [error],
        "generation": None,
    }
    return {**whole, **changes}


@pytest.fixture
def study() -> Study:
    arms, trials = [], []
    for stage, names in (("search", ERRORS), ("confirm", TEST)):
        for name in names:
            levels = {"stage": stage, "kind": name}
            arms.append(Arm(f"stage={stage} kind={name}", levels, {"data": {"name": "digits"}}, 100, 1000))
    for name, values in TEST.items():
        for seed, error in enumerate(values, start=1000):
            facts = {"test_error": error, "train_error": 1.0, "test_loss": 0.1, "train_loss": 0.1, "seconds": 1.0}
            trials.append(Trial(f"{name}{seed}", f"stage=confirm kind={name}", seed, State.COMPLETE, **facts))
    settings = {"sampler": {"name": "tpe"}, "validation": 0.2, "penalty": 100.0, "confirm": {"best": 1, "seeds": 3}}
    record = {
        "settings": settings,
        "objectives": ["val_error"],
        "baseline": "stage=search kind=a",
        "proposals": {
            "search": [proposal(at, name, error) for at, (name, error) in enumerate(ERRORS.items())],
            "control": [proposal(0, "a", 8.0), proposal(1, "d", 6.0)],
        },
        "importance": [{"method": "fANOVA", "question": "why?", "shares": {"kind": 0.7, "lr": 0.3}}],
        "confirmed": ["stage=confirm kind=a", "stage=confirm kind=b"],
    }
    factors = {"stage": ("search", "confirm"), "kind": ("a", "b", "c", "d")}
    return Study(
        "hunt", "", "", {"claims": []}, factors, {"kind": "a"}, None, tuple(arms), tuple(trials), search=record
    )


def test_the_tables_of_a_search_show_its_confirmation_alone(study):
    view = confirmed_view(study)
    assert [arm.name for arm in view.arms] == ["kind=a", "kind=b"]
    assert view.factors == {"kind": ("a", "b")}
    assert {trial.seed for trial in view.trials} == {1000, 1001, 1002}


def test_a_study_without_a_search_is_shown_as_it_is(study):
    plain = replace(study, factors={"kind": ("a", "b")}, search={})
    assert confirmed_view(plain) is plain


def test_best_so_far_passes_over_arms_that_were_stopped(study):
    assert best_so_far(searched(study)) == (8.0, 5.0, 5.0, 5.0)


def test_the_share_of_the_gain_that_survived(study):
    (only,) = confirmations(study)
    assert only.searched_gain == pytest.approx(3.0)
    assert only.contrast.estimate == pytest.approx(-0.9333, abs=1e-3)
    assert only.survived == pytest.approx(0.3111, abs=1e-3)
    assert only.contrast.high < 0
    shares = (-only.contrast.high / 3, -only.contrast.low / 3)
    assert (only.survived_low, only.survived_high) == pytest.approx(shares)


def test_an_arm_descends_from_the_earlier_arm_that_it_differs_least_from(study):
    arms = searched(study)
    assert nearest_earlier(arms[0], arms) is None
    assert nearest_earlier(arms[3], arms).arm == "stage=search kind=b"


def test_the_page_has_the_search_and_its_confirmation(study, tmp_path: Path):
    page = write_report(study, tmp_path).read_text()
    assert 'id="search"' in page
    assert 'id="confirmation"' in page
    text = page.replace("\N{NO-BREAK SPACE}", " ")
    assert re.search(r"31 % of that gain survived \(95 % interval \+\d+ to \+\d+ %, by the seeds of the confirm", text)
    for name in ("search-arms", "search-importance", "search-progress", "confirmation"):
        assert f"tables/{name}" in page or (tmp_path / "figures" / f"{name}.svg").exists()


def test_a_search_without_a_result_has_no_section(study, tmp_path: Path):
    empty = replace(study, search={**study.search, "proposals": {"search": []}}, trials=())
    assert 'id="search"' not in write_report(empty, tmp_path).read_text()


def test_several_objectives_draw_a_front(study, tmp_path: Path):
    both = [
        {**each, "values": each["values"] and [*each["values"], 100.0 + each["number"]]}
        for each in study.search["proposals"]["search"]
    ]
    record = {**study.search, "objectives": ["val_error", "params"], "proposals": {"search": both}}
    write_report(replace(study, search=record), tmp_path)
    assert (tmp_path / "figures/search-front.svg").exists()


def test_a_gain_that_turns_round_is_said_not_to_survive(study):
    worse = tuple(
        replace(trial, test_error=trial.test_error + 3) if "kind=b" in trial.arm else trial for trial in study.trials
    )
    first, survival, every = conclusions(find(replace(study, trials=worse)))
    assert "has more test error than the baseline" in first
    assert "nothing of that gain survived" in survival
    assert every.startswith("The confirmed arm is shown to have more test error than the baseline (")


def with_another(study, errors, of="b", values=None):
    """Return the study with "d" confirmed as well, and with other test errors of one arm."""
    arms = (*study.arms, Arm("stage=confirm kind=d", {"stage": "confirm", "kind": "d"}, {}, 100, 1000))
    trials = [
        replace(trial, test_error=values[trial.seed - 1000]) if values and f"kind={of}" in trial.arm else trial
        for trial in study.trials
    ]
    for seed, error in enumerate(errors, start=1000):
        trials.append(Trial(f"d{seed}", "stage=confirm kind=d", seed, State.COMPLETE, test_error=error, seconds=1.0))
    return replace(study, arms=arms, trials=tuple(trials))


def test_what_is_said_of_the_first_arm_and_of_all_arms_rests_on_one_correction(study):
    close = with_another(study, errors=(7.4, 7.1, 7.5), values=(5.9, 6.6, 6.4))
    first, survival, every = conclusions(find(close))
    (contrast,) = [each.contrast for each in confirmations(close) if each.arm.name == "kind=b"]
    assert contrast.p < 0.05 < contrast.p_holm
    assert "cannot be told from the baseline" in first
    assert "Holm's p over 2 arms 0.0" in first
    assert "Alone it would be told apart (p 0.0" in first
    assert "by the estimate alone" in survival
    assert every.startswith("None of the 2 confirmed arms can be told from the baseline (")
    assert "Holm's p over all of them is at most 0.025" in every


def test_an_arm_that_holds_among_all_is_said_to_be_better_in_both_sentences(study):
    first, _, every = conclusions(find(with_another(study, errors=(7.4, 7.1, 7.5))))
    assert "has less test error than the baseline" in first
    assert (
        "1 of 2 confirmed arms is shown to have less test error than the baseline and 1 cannot be told from it" in every
    )


def test_one_confirmed_arm_needs_no_correction(study):
    first, _, every = conclusions(find(study))
    assert "p 0.0" in first
    assert "Holm" not in first + every


def test_fails_decide_on_which_side_an_arm_is_where_they_leave_no_number(study):
    seeds = range(1000, 1007)
    trials = [
        Trial(f"{name}{seed}", f"stage=confirm kind={name}", seed, state, test_error=error)
        for name, state, error in (("a", State.COMPLETE, 7.0), ("b", State.DIVERGED, None))
        for seed in seeds
    ]
    first, _, every = conclusions(find(replace(study, trials=tuple(trials))))
    assert "has more test error than the baseline: p 0.0156." in first
    assert every.startswith("The confirmed arm is shown to have more test error than the baseline (")


def panel_of(study, name):
    """Return the drawing of a figure of the search, and the words that stand for it."""
    (figure,) = [each for each in search.build(find(study)).figures if each.name == name]
    return figure.panels[0], figure


def texts_of(drawing):
    """Return the words in a drawing."""
    root = ElementTree.fromstring(f"<svg>{drawing.svg}</svg>".replace("xlink:", ""))
    return ["".join(each.itertext()) for each in root.iter("text")]


def test_parameters_stand_in_the_order_of_their_names_where_no_importance_was_computed():
    whole = searched_study()
    for name in ("search-parallel", "search-slices"):
        assert "the most important" in panel_of(whole, name)[1].caption
        bare = panel_of(replace(whole, search={**whole.search, "importance": []}), name)[1]
        assert "most important" not in bare.caption
        assert "in the order of their names, as no importance was computed" in bare.caption
    titles = [panel.title for panel in bare.panels]
    assert titles == sorted(titles)


def test_parameters_that_find_no_room_are_said_to_be_left_out():
    assert "The first 6 of 7 parameters." in panel_of(searched_study(), "search-slices")[1].caption


def number_in(text):
    """Return the number that an axis says, plain or as a power of ten."""
    raised = re.fullmatch(r"10([⁻⁰¹²³⁴-⁹]+)", text)
    return 10.0 ** int(raised[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))) if raised else float(text)


@pytest.mark.parametrize(("low", "high"), [(0.012, 0.43), (0.01, 1.0), (0.0005, 0.9), (1e-6, 10.0), (16.0, 4096.0)])
def test_a_logarithmic_axis_has_a_few_plain_numbers(low, high):
    drawing = slice_drawing([(low, 30.0), (high, 40.0)], "training.lr", "slice", log=True)
    below = texts_of(drawing)[: texts_of(drawing).index("training.lr")]
    assert 3 <= len(below) <= 6
    assert all(low <= number_in(text) <= high for text in below)


def test_a_parameter_that_is_on_or_off_has_a_row_for_each(study):
    flips = [{**each, "params": {"flip": each["number"] % 2 == 0}} for each in study.search["proposals"]["search"]]
    section = panel_of(replace(study, search={**study.search, "proposals": {"search": flips}}), "search-slices")
    assert {"True", "False"} <= set(texts_of(section[0].drawing))


def test_ticks_of_a_logarithmic_axis_are_round_and_few():
    assert log_ticks(0.012, 0.43) == [0.02, 0.05, 0.1, 0.2]
    assert log_ticks(0.01, 1.0) == [0.01, 0.03, 0.1, 0.3, 1.0]
    assert log_ticks(2.1, 6.9) == [3.0, 4.0, 5.0, 6.0]
    assert len(log_ticks(1e-9, 1e9)) <= 6


def drawn_paths(element, inherited=None):
    """Yield the attributes of every path that is drawn, those of the groups around it among them."""
    own = {"fill": "", "stroke-width": "", **(inherited or {}), **element.attrib}
    if element.tag == "path" and "d" in element.attrib:
        yield own
    for child in element:
        if element.tag != "defs":
            yield from drawn_paths(child, own)


def test_every_arm_with_a_result_is_a_line_through_all_its_choices_and_the_best_are_thick():
    panel, figure = panel_of(searched_study(), "search-parallel")
    root = ElementTree.fromstring(f"<svg>{panel.drawing.svg}</svg>".replace("xlink:", ""))
    paths = [each for each in drawn_paths(root) if each["fill"] == "none"]
    corners = [len(re.findall(r"-?[\d.]+ -?[\d.]+", each["d"].replace("-", " -"))) for each in paths]
    widths = [each["stroke-width"] for each, count in zip(paths, corners, strict=True) if count == 8]
    assert len(widths) == 36
    assert sorted(widths)[-4:] == ["1.4", "1.4", "1.4", "2.4"]
    assert len(figure.table.rows) == 36
    assert "shortcut:" in panel.description


def test_a_parameter_that_an_arm_has_not_is_off_on_its_line():
    scale = number_scale("rate", [0.1, None, 0.5])
    assert scale.places == (0.0, 1.0, pytest.approx(0.86))
    assert scale.ticks[-1] == (1.0, "off")
    levels = level_scale("merge", ["add", None, "mul"], range(3))
    assert [text for _, text in levels.ticks] == ["add", "mul", "off"]
    assert levels.places[0] < levels.places[2] < levels.places[1]


def test_arms_of_one_level_stand_side_by_side_the_best_one_left():
    scale = level_scale("merge", ["add"] * 5, [3, 1, 0, 4, 2])
    assert sorted(range(5), key=lambda at: scale.places[at]) == [2, 1, 4, 0, 3]


def test_a_logarithmic_axis_lays_out_equal_ratios_equally():
    assert number_scale("lr", [0.01, 0.1, 1.0], log=True).places == pytest.approx((0.0, 0.5, 1.0))


@pytest.fixture(scope="module")
def searched_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(searched_study(), tmp_path_factory.mktemp("searched")).read_text()


def test_the_importance_of_what_only_some_arms_have_says_among_which(searched_page: str):
    assert "12 arms where shortcut is dropout" in searched_page
    assert "all 36 arms" in searched_page


def test_a_record_from_before_that_is_shown_over_all_arms(study, tmp_path: Path):
    page = write_report(study, tmp_path).read_text()
    assert ' dir="auto">all arms</td>' in page


def test_a_factor_whose_levels_are_numbers_and_off_is_listed_with_the_trials(searched_page: str):
    assert 'id="trials"' in searched_page


def test_a_replayed_search_says_which_sampler_is_worth_its_cost(tmp_path: Path):
    study = replayed(
        configuration("tpe", gain=1.0),
        configuration("gp", gain=0.0, proposing=3000.0),
        configuration("random, asha", gain=0.0, stops=True),
    )
    page = write_report(study, tmp_path).read_text()
    assert 'id="samplers"' in page
    for words in ("tpe: worth its cost.", "gp: not worth its cost.", "random with asha: not decided."):
        assert words in page
    assert (tmp_path / "figures/samplers.svg").exists()
    table = (tmp_path / "tables/samplers.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table[1:4]] == ['"random"', '"tpe"', '"gp"']
    assert "worth its cost" not in write_report(searched_study(), tmp_path).read_text()
    assert not (tmp_path / "figures/samplers.svg").exists()


def test_a_search_whose_arms_are_not_confirmed_says_so_at_its_head(study, tmp_path: Path):
    searching = tuple(arm for arm in study.arms if arm.levels["stage"] == "search")
    page = write_report(replace(study, arms=searching, trials=()), tmp_path).read_text()
    text = page.replace("\N{NO-BREAK SPACE}", " ")
    assert "4 arms, 1 of which it stopped early; the lowest validation error is 5.00 %, that of #2. No arm is" in text
    assert "No trial of a confirmation is planned." in page
    assert "0 kind" not in page


def test_arms_of_a_search_go_by_their_numbers_in_the_forest(searched_page: str):
    drawn = searched_page[searched_page.index('id="figure-effects"') :]
    names = re.findall(r"<text[^>]*>(#\d+|[^<]*=[^<]*)</text>", drawn[: drawn.index("</figure>")])
    assert names
    assert all(name.startswith("#") for name in names)


def test_a_share_of_a_gain_survives_in_no_arm_that_is_worse_than_the_baseline(study):
    worse = tuple(
        replace(trial, test_error=trial.test_error + 3) if "kind=b" in trial.arm else trial for trial in study.trials
    )
    (table,) = confirmation.build(find(replace(study, trials=worse))).tables
    assert table.rows[0][-3:] == (None, None, None)
    (better,) = confirmation.build(find(study)).tables
    assert better.rows[0][-3] == pytest.approx(31.11, abs=0.01)


def test_time_and_devices_are_those_of_all_trials_and_say_so(study):
    first = study.search["proposals"]["search"][0]["arm"]
    more = Trial("s0", first, 0, State.COMPLETE, seconds=30.0, device="cpu", environment="e")
    whole = replace(study, trials=(*(replace(each, device="cpu") for each in study.trials), more))
    facts = dict(header.build(find(whole)).content.facts)
    assert facts["Training time"].replace("\N{NO-BREAK SPACE}", " ") == "36 s, of which 6.0 s in the confirmation"
    assert dict(provenance.build(find(whole)).content.facts)["Devices"] == "cpu (7 trials)"
