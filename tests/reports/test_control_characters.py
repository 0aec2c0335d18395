"""Control characters in names: drawn as pictures in every file and on every page, since XML has no place for them."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from reports.diff import compare
from reports.diff_formats import diff_text
from reports.findings import find
from reports.page import report_files
from reports.publishing.index import index_page, listed_of
from reports.results import Measurement
from reports.summary import summary_of
from tests.reports import small
from tests.reports.test_mechanism import values

CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
NAME = "nul\0 bell\x07 escape\x1b[31m"


@pytest.fixture(scope="module")
def files():
    made = small.study(("depth", "variant"), {(8, NAME): (1.0, 2.0), (8, "b"): (3.0, 4.0)})
    unit = {"branch": [NAME, "add"], "shortcut": {"layers": [NAME]}, "after": [], "note": NAME}
    arms = [replace(arm, description={**arm.description, "unit": unit}) for arm in made.arms]
    found = [Measurement(trial.id, '"><script>/..', values(1.0)) for trial in made.trials]
    texts = {"question": NAME, "notes": (NAME,), "user_notes": (f"Note of {NAME}",)}
    return report_files(replace(made, arms=tuple(arms), measurements=tuple(found), **texts), [])


def test_no_file_has_a_control_character(files):
    texts = {name: text for name, text in files.items() if isinstance(text, str)}
    assert [name for name, text in texts.items() if CONTROLS.search(text)] == []
    assert "\N{SYMBOL FOR NULL}" in texts["data/trials.csv"]
    assert "\N{SYMBOL FOR NULL}" in texts["index.html"]
    drawings = [text for name, text in texts.items() if name.endswith(".svg")]
    assert len(drawings) > 3
    for text in drawings:
        ET.fromstring(text)


def test_the_name_of_a_probe_is_no_path_and_no_markup(files):
    probed = [name for name in files if "script" in name]
    assert "tables/mechanism-script.csv" in probed
    assert all(re.fullmatch(r"(figures|tables)/[\w-]+\.\w+", name) for name in probed)
    assert files["index.html"].count("<script") == 2


def test_neither_an_index_nor_a_comparison_has_one():
    summaries = [
        summary_of(find(small.study(("variant",), {(NAME,): (1.0, 2.0 + shift), ("b",): (3.0, 4.0)})))
        for shift in (0.0, 1.0)
    ]
    row = {"study": NAME, "question": NAME, "verdicts": [{"verdict": NAME}]}
    assert not CONTROLS.search(index_page([listed_of(row, f"studies/{NAME}")]))
    for format in ("table", "markdown", "html", "json"):
        assert not CONTROLS.search(diff_text(compare(*summaries), (NAME, "b"), format))
