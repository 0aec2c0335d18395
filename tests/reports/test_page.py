import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reports.analysis.claims import parse_claims
from reports.analysis.verdicts import judge
from reports.page import breakable, json_block, unbroken, write_report
from reports.trials import State
from tests.reports import small, studies
from tests.reports.small import near


class Page(HTMLParser):
    """The page as a reader's tool sees it: ids, links, attributes, and the text outside of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.attributes |= found.keys()
        self.silent = tag in ("script", "style")
        if found.get("id"):
            self.ids.append(str(found["id"]))
        if tag == "a":
            self.links.append(str(found["href"]))

    def handle_endtag(self, tag: str) -> None:
        self.silent = False

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.text += data.replace("\N{NO-BREAK SPACE}", " ")


def written(tmp_path: Path, study=None, **more):
    path = write_report(studies.degradation() if study is None else study, tmp_path, **more)
    return Page(path.read_text(encoding="utf-8"))


SHARED = ("degradation", "troubled", "all_fail", "without_results", "one_factor", "hostile")
VARIED = {
    "one seed": lambda: studies.degradation(seeds=1),
    "no baseline": lambda: replace(studies.degradation(), baseline={}),
    "no arms": lambda: replace(studies.degradation(), arms=(), trials=(), factors={}),
}
ALL = (*SHARED, *VARIED)


@pytest.fixture(scope="module")
def folders(report, tmp_path_factory):
    """The folder of the report of each study, each written once and read by many tests."""
    varied = {name: write_report(make(), tmp_path_factory.mktemp("report")) for name, make in VARIED.items()}
    return {name: page.parent for name, page in ({name: report(name) for name in SHARED} | varied).items()}


@pytest.fixture(scope="module")
def pages(folders):
    return {name: Page((folder / "index.html").read_text(encoding="utf-8")) for name, folder in folders.items()}


@pytest.fixture
def page(pages):
    return pages["degradation"]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("training.batch_size", "training.<wbr>batch_<wbr>size"),
        ("scale(shortcut=0.5,branch=1.0)", "scale(shortcut=0.5,branch=1.0)"),
        ("lr_1.25_<b>", "lr_<wbr>1.25_<wbr>&lt;b&gt;"),
    ],
)
def test_a_name_may_be_broken_after_its_dots_but_no_number(name, written):
    assert breakable(name) == written


@pytest.mark.parametrize("name", ALL)
def test_links_within_the_page_have_targets_and_links_out_of_it_have_files(folders, pages, name):
    for link in pages[name].links:
        if link.startswith("#"):
            assert link[1:] in pages[name].ids
        else:
            assert (folders[name] / link).is_file()


@pytest.mark.parametrize("name", ALL)
def test_ids_are_unique(pages, name):
    assert len(pages[name].ids) == len(set(pages[name].ids))


@pytest.mark.parametrize("name", ALL)
def test_no_style_attribute_and_no_handler_that_the_policy_would_block(pages, name):
    assert not [each for each in pages[name].attributes if each == "style" or each.startswith("on")]


@pytest.mark.parametrize("name", ["degradation", "without_results", "all_fail", "no arms"])
def test_stable_anchors_are_there(pages, name):
    page = pages[name]
    anchors = "top claims table curves depth effects mechanism cost paper failures trials methods provenance data"
    anchors = anchors.split()
    assert [each for each in anchors if each not in page.ids] == []


def test_every_trial_has_its_anchor(page):
    assert {f"trial-{trial.id}" for trial in studies.degradation().trials} <= set(page.ids)


def test_policy_holds_the_hashes_of_the_style_and_the_script(folders):
    text = (folders["degradation"] / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    for tag in ("script", "style"):
        inline = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.S)[1]
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;" in policy or f"{tag}-src 'sha256-{digest}'" in policy


def test_policy_comes_first_in_the_head(folders):
    text = (folders["degradation"] / "index.html").read_text(encoding="utf-8")
    assert re.search(r"<head>\s*<meta http-equiv=\"Content-Security-Policy\"", text)


def test_hostile_names_make_no_element(pages):
    page = pages["hostile"]
    assert "img" not in page.tags
    assert page.tags.count("script") == 2


def test_json_block_cannot_end_its_element():
    text = json_block({"name": "</script><!-- \u2028 &"})
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"name": "</script><!-- \u2028 &"}


def test_main_table_shows_mean_fail_and_difference(page):
    assert "fail (3/3)" in page.text
    assert re.search(r"1\.94 ± 0\.40", page.text)
    assert re.search(r"−3\.52 \[−4\.43, −2\.62\]", page.text)


def test_one_seed_has_no_interval_and_says_so(pages):
    page = pages["one seed"]
    assert "(n=1)" in page.text
    assert " ± 0" not in page.text


def test_failed_and_waiting_trials_are_counted_by_name(pages):
    page = pages["troubled"]
    for words in ("23 of 27 trials have a result", "1 crashed", "1 pruned", "1 running", "1 waiting"):
        assert words in page.text


def test_a_study_without_results_still_has_a_page(pages):
    page = pages["without_results"]
    assert "No trial has a result yet" in page.text
    assert "figure-curves" not in page.ids
    assert "No trial has finished an epoch yet." in page.text


def test_a_study_in_which_everything_fails_draws_no_error_axis(pages):
    page = pages["all_fail"]
    assert "figure-depth" not in page.ids
    assert page.text.count("fail (3/3)") >= 9


def test_without_a_numeric_factor_there_is_no_axis_figure(pages):
    page = pages["one_factor"]
    assert "figure-depth" not in page.ids
    assert "No factor of this study has several numeric levels." in page.text
    assert "effects" in page.ids


def test_orphaned_arms_leave_the_table_and_stay_among_the_trials(tmp_path):
    study = studies.degradation()
    gone = study.arms[0]
    study = replace(study, arms=(replace(gone, orphaned=True), *study.arms[1:]))
    page = written(tmp_path, study)
    assert "1 arm no longer in the study file" in page.text
    assert f"trial-{study.trials_of(gone)[0].id}" in page.ids


def test_claims_get_a_card_each_and_a_line_in_the_header(tmp_path):
    study = studies.degradation(5)
    declared = [
        {"id": "better", "says": "preact < original", "where": "depth == 110", "by": 0.5},
        {"id": "worse", "says": "preact > original", "where": "depth == 110"},
    ]
    page = written(tmp_path, study, verdicts=judge(study, parse_claims(declared, study.factors)))
    assert {"claims", "claim-better", "claim-worse"} <= set(page.ids)
    assert "2 claims: 1 supported and 1 refuted" in page.text


def test_the_claims_of_the_study_file_are_judged_when_no_verdicts_are_given(tmp_path):
    study = studies.degradation()
    claims = [{"id": "better", "says": "preact < original", "where": "depth == 110"}]
    page = written(tmp_path, replace(study, settings={**study.settings, "claims": claims}))
    assert "claim-better" in page.ids


def test_a_study_without_claims_says_so(page):
    assert "The study file declares no claims." in page.text


def test_hosts_and_folders_stay_out_of_every_file(folders):
    for file in folders["troubled"].rglob("*.*"):
        text = file.read_bytes().decode("utf-8", "replace")
        assert "node-seven" not in text
        assert "/home/" not in text


def test_hosts_are_told_when_asked_for(tmp_path):
    page = written(tmp_path, include_host=True)
    assert "node-seven" in page.text


def test_every_figure_has_a_name_and_a_description_made_from_its_numbers(folders):
    text = (folders["degradation"] / "index.html").read_text(encoding="utf-8")
    drawings = re.findall(r'<svg [^>]*role="img"[^>]* aria-labelledby="(\S+) (\S+)"><title id="\1">(.*?)</title>', text)
    assert len(drawings) == 16  # one stands on the first screen as well, and four are drawn for phones, too
    assert "plain has a median of 2.82 % at depth 20 and of" in text


def test_drawings_stay_small(tmp_path):
    study = studies.degradation()
    long = tuple(
        replace(trial, curve=studies.curve(trial.test_error, 200, studies.random.Random(trial.id)))
        for trial in study.trials
    )
    write_report(replace(study, trials=long), tmp_path)
    assert (tmp_path / "figures/curves.svg").stat().st_size < 80_000


def test_files_of_an_earlier_report_are_removed_and_others_kept(tmp_path):
    write_report(studies.degradation(), tmp_path)
    (tmp_path / "figures/mine.svg").write_text("mine")
    write_report(studies.without_results(), tmp_path)
    assert not (tmp_path / "figures/curves.svg").exists()
    assert (tmp_path / "figures/mine.svg").exists()


def test_study_json_holds_the_numbers_of_the_page(folders):
    folder = folders["degradation"]
    found = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    assert found["study"] == "degradation"
    assert found["trials"][State.COMPLETE] == 27
    assert found["trials"]["fails"] == 6
    assert [each["text"] for each in found["arms"] if each["name"] == "depth=110 variant=plain"] == ["fail (3/3)"]
    assert f">{found['report']}<" in (folder / "index.html").read_text(encoding="utf-8")


SCRIPT = """
import sys
from pathlib import Path
from reports.page import write_report
from tests.reports import studies
write_report(studies.troubled(), Path(sys.argv[1]))
"""


def test_the_same_study_gives_the_same_bytes_under_any_hash_seed_time_zone_and_language(tmp_path):
    root = Path(__file__).parents[2]
    digests = []
    for name, changes in (
        ("a", {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}),
        ("b", {"PYTHONHASHSEED": "2", "LANG": "C"}),
    ):
        environment = {**os.environ, "PYTHONPATH": str(root), **changes}
        folder = tmp_path / name
        folder.mkdir()
        subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], env=environment, check=True, cwd=folder)
        files = sorted(each for each in folder.rglob("*") if each.is_file())
        digests.append({str(each.relative_to(folder)): hashlib.sha256(each.read_bytes()).hexdigest() for each in files})
    assert digests[0] == digests[1]
    assert len(digests[0]) > 15


def test_matplotlib_is_not_imported_before_a_figure_is_drawn():
    root = Path(__file__).parents[2]
    code = "import reports.page, sys; sys.exit('matplotlib' in sys.modules or 'seaborn' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(root)}, check=True, cwd=root)


def test_a_claim_tells_why_a_trial_is_missing_without_the_folder_it_ran_in(tmp_path):
    study = studies.troubled()
    declared = [{"id": "better", "says": "preact < original", "where": "depth == 110"}]
    page = written(tmp_path, study, verdicts=judge(study, parse_claims(declared, study.factors)))
    assert "out of memory in …/x.py" in page.text
    assert "/home/" not in page.text


@pytest.mark.slow  # tests/browser/test_report.py holds a study without fails and with a factor less to the same
def test_ten_thousand_trials_keep_within_the_budget(tmp_path):
    page_path = write_report(studies.large(fails=True), tmp_path)
    text = page_path.read_text(encoding="utf-8")
    assert page_path.stat().st_size < 6_000_000
    assert len(Page(text).tags) < 15_000


def test_no_line_ends_within_an_interval_and_a_list_of_seeds_stays_as_it_can_be_copied():
    assert unbroken("+1.39 [+0.35, +2.42], n=5") == "+1.39 [+0.35,\xa0+2.42], n=5"
    assert unbroken("with `seeds: [0, 1]`") == "with `seeds: [0, 1]`"


def test_what_is_printed_with_a_heading_has_a_box_with_it(tmp_path):
    page = write_report(small.study(("variant",), {("a",): near(3), ("b",): near(4)}), tmp_path).read_text()
    for heading in ("Make it again", "Cite"):
        assert f'<div class="kept">\n<h3>{heading}</h3>' in page
    style = page[page.index("@media print {") :]
    whole = " ".join(re.findall(r"([^{}]*)\{ break-inside: avoid; \}", style))
    assert {".kept", ".facts"} <= set(re.findall(r"\.\w+", whole))
