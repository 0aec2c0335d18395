"""What the page shows of verdicts, factors, costs and published numbers."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reports.page import write_report
from tests.reports import studies


@pytest.fixture(scope="module")
def judged(report: Callable[[str], Path]) -> Path:
    return report("judged")


@pytest.fixture(scope="module")
def grid(report: Callable[[str], Path]) -> Path:
    return report("full_grid")


def rows(page: Path, table: str) -> list[dict[str, str]]:
    with (page.parent / f"tables/{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def words(page: Path) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.read_text()).split())


def test_every_claim_stands_in_the_forest_with_its_margin(judged: Path) -> None:
    shown = {each["claim"] for name in ("claims", "claims-2") for each in rows(judged, f"{name}-by-context")}
    assert shown == {str(each["id"]) for each in studies.CLAIMS}


def test_rates_and_differences_have_a_figure_each(judged: Path) -> None:
    assert [each["claim"] for each in rows(judged, "claims-2-by-context")] == ["fails"]
    assert all((judged.parent / f"figures/{name}.svg").exists() for name in ("claims", "claims-2"))


def test_a_claim_in_several_contexts_shows_each_reading_and_which_was_declared(judged: Path) -> None:
    assert "on average (declared): " in words(judged)
    assert "in every context: " in words(judged)


def test_a_claim_decided_at_a_look_says_at_which(judged: Path) -> None:
    assert "at look 1 of 2" in words(judged)


def test_an_open_claim_says_how_many_seeds_would_decide_it(judged: Path) -> None:
    assert re.search(
        r"To (?:support|refute) it about \d+ seeds if the effect is what it looks like, .* of training; "
        "over all that the seeds so far leave open so many decide it",
        words(judged),
    )


def test_the_methods_name_the_looks_and_what_they_saved(judged: Path) -> None:
    text = words(judged)
    assert "The looks at 5 and 8 seeds spend levels of 0.0167 and 0.0333" in text
    assert "so far 54 of at most 72 trials are planned, and 1 claim is undecided before the last look" in text
    assert "saved" not in text.split("Statistics")[1]


def test_the_methods_tell_the_noise_floor_of_every_baseline_arm(judged: Path) -> None:
    assert words(judged).count("against itself with other seeds") == 3


def test_repeated_seeds_do_not_enter_the_main_table(judged: Path) -> None:
    counts = {each["arm"]: each["n"] for each in rows(judged, "arms")}
    assert counts["depth=20 variant=original"] == "5"
    assert counts["depth=110 variant=original"] == "8"


def test_published_numbers_stand_beside_ours(judged: Path) -> None:
    first, second = rows(judged, "published")
    assert first["reference"] == "arXiv:1512.03385, table 6: resnet-110"
    assert (first["theirs"], first["verdict"]) == ("6.61", "differs")
    assert second["reference"] == "He 2015, <Table 6>"
    assert "the published number has no error bar" in second["note"]


def test_the_shares_of_the_variance_have_the_seed_beside_them(grid: Path) -> None:
    assert [each["term"] for each in rows(grid, "shares")] == [
        "depth",
        "variant",
        "depth × variant",
        "between the seeds of one arm, in one trial",
    ]


def test_the_analysis_of_variance_is_a_table(grid: Path) -> None:
    assert [each["term"] for each in rows(grid, "anova")] == ["depth", "variant", "seed", "depth × variant", "residual"]


def test_main_effects_are_the_means_of_each_level(grid: Path) -> None:
    effects = {(each["factor"], each["level"]): float(each["mean"]) for each in rows(grid, "main-effects")}
    arms = {each["arm"]: float(each["mean"]) for each in rows(grid, "arms")}
    assert effects["depth", "20"] == pytest.approx(
        (arms["depth=20 variant=original"] + arms["depth=20 variant=preact"]) / 2
    )


def test_arms_with_fails_leave_the_shares_out_and_say_so(tmp_path: Path) -> None:
    page = write_report(studies.degradation(), tmp_path)
    assert "No shares of the variance are given, since an arm with fails has no mean" in words(page)
    assert not (tmp_path / "tables/shares.csv").exists()


def test_the_front_of_error_and_cost_names_its_arms(grid: Path) -> None:
    front = {each["arm"]: each["front_params"] for each in rows(grid, "cost")}
    assert front["depth=20 variant=original"] == "true"
    assert front["depth=110 variant=original"] == "false"


def test_arms_of_one_size_have_no_front(tmp_path: Path) -> None:
    assert 'id="figure-cost"' not in write_report(studies.one_factor(), tmp_path).read_text()
