"""URLs of storages: what they must look like is said before anything is trained."""

import pytest

from orchestrator.study_file.folder_url import check_folder_url
from search_spaces.errors import SettingError


@pytest.mark.parametrize(
    "url", ["file:///shared/checkpoints", "s3://bucket", "s3://bucket/a@b:c", "gs://bucket/folder"]
)
def test_folders_of_storages_are_accepted(url: str) -> None:
    check_folder_url(url, ("checkpoints",))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("/shared/checkpoints", r'"/shared/checkpoints" is no URL: write file:///shared/checkpoints'),
        ("", r'"" is no URL'),
        ("hfds://host/folder", r'unknown protocol "hfds": did you mean "hdfs"\?'),
        ("s3://", "names no folder"),
        ("file://shared/checkpoints", r"write file:///shared/checkpoints"),
        ("sftp://user:secret@host/folder", "holds a password"),
        ("sftp://user:se/cr@et@host/folder", "holds a password"),
    ],
)
def test_what_is_no_folder_of_a_storage_is_refused(url: str, message: str) -> None:
    with pytest.raises(SettingError, match=message) as refused:
        check_folder_url(url, ("checkpoints",))
    assert "secret" not in str(refused.value)
    assert refused.value.key == ("checkpoints",)
