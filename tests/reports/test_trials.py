"""The table of trials: its numbers are those that every other part of the page has."""

from reports.sections import trials
from tests.reports.small import found


def test_an_error_is_rounded_once():
    section = trials.build(found(("variant",), {("a",): (53.44468, 3.0049)}))
    at = [heading.key for heading in section.content.headings].index("test_error")
    assert [row.cells[at] for row in section.content.rows] == ["53.44", "3.00"]
    columns = {column["key"]: column for column in section.embedded["trials"]["columns"]}
    assert columns["test_error"]["values"] == [53.44, 3.0]


def test_an_example_of_a_filter_is_written_as_the_page_writes_numbers():
    errors = {(rate,): (3.0, 4.0) for rate in (1e6, 1e9)}
    assert "training.lr>=1e+09" in trials.build(found(("training.lr",), errors)).content.example
