"""The table of trials: its numbers are those that every other part of the page has."""

import json
import re

from reports.page import write_report
from reports.sections import trials
from tests.reports import searches, small
from tests.reports.small import WAITING, found, near


def test_an_error_is_rounded_once():
    section = trials.build(found(("variant",), {("a",): (53.44468, 3.0049)}))
    at = [heading.key for heading in section.content.headings].index("test_error")
    assert [row.cells[at] for row in section.content.rows] == ["53.44", "3.00"]
    columns = {column["key"]: column for column in section.embedded["trials"]["columns"]}
    assert columns["test_error"]["values"] == [53.44, 3.0]


def test_an_example_of_a_filter_is_written_as_the_page_writes_numbers():
    errors = {(rate,): (3.0, 4.0) for rate in (1e6, 1e9)}
    assert "training.lr>=1e+09" in trials.build(found(("training.lr",), errors)).content.example


def test_the_number_of_an_arm_is_not_broken_and_numbers_stand_as_the_study_writes_them(tmp_path):
    page = write_report(searches.searched(), tmp_path / "search").read_text()
    assert re.search(r'<td class="short">#\d+</td>', page)
    errors = {(1e9, "a"): near(3), (0.05, "a"): near(4), (1e9, "b"): (WAITING, 3.0, 3.1)}
    whole = small.study(("training.lr", "variant"), errors)
    page = write_report(whole, tmp_path / "large").read_text()
    embedded = json.loads(
        re.search(r'<script type="application/json" id="embedded">(.*?)</script>', page, re.DOTALL)[1]
    )
    (column,) = (each for each in embedded["trials"]["columns"] if each["key"] == "training.lr")
    assert column["shown"] == [[1e9, "1e+09"]]
    assert not any("shown" in each for each in embedded["trials"]["columns"] if each is not column)
