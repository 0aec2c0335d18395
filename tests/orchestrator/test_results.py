"""Where the results are: a database that the study file names is checked before anything else happens."""

import pytest

from orchestrator.errors import UserError
from orchestrator.results.location import database
from orchestrator.study_file.config import read_study


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nowhere/results.db", "there is no folder"),
        ("mysql://host/name", "is no database that results can be kept in"),
        ("''", "the database has no name"),
        ("a.yaml", "is not a results database"),
    ],
)
def test_a_database_of_the_file_that_cannot_be_opened_is_told_with_its_line(tmp_path, monkeypatch, named, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(f"study: a\nseeds: 2\ndatabase: {named}\n" + "# " + "x" * 600)
    config = read_study(tmp_path / "a.yaml")
    with pytest.raises(UserError) as refused:
        database(None, config)
    assert str(refused.value).startswith(f"{tmp_path}/a.yaml:3: database: ")
    assert message in str(refused.value)
    assert database("other.db", config) == "other.db"
