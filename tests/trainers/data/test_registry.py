"""A data set is one file, found by its name, and has its test."""

from pathlib import Path

import pytest

from search_spaces.errors import SettingError
from trainers import complete_data, known_images
from trainers.settings.data import data_sets, reads_photographs


@pytest.mark.parametrize("name", data_sets())
def test_every_data_set_has_its_contract_test(name):
    tests = Path(__file__).parent / "sets" / f"test_{name}.py"
    assert "(DataSetContract)" in tests.read_text()


def test_an_unknown_name_lists_every_data_set_and_how_to_name_ones_own():
    with pytest.raises(SettingError) as raised:
        complete_data("nothing_alike")
    assert all(name in raised.value.message for name in (*data_sets(), "package.module:loader"))


def test_what_is_known_without_files():
    assert known_images("cifar100") == ((3, 32, 32), 100)
    assert known_images("digits") is None


def test_only_photographs_are_cut_to_size():
    assert [name for name in data_sets() if reads_photographs(name)] == ["image_folder"]


@pytest.mark.parametrize("name", ["__init__", "..folder", "sets", "", None, 3, ["digits"]])
def test_what_is_no_data_set_is_refused(name):
    with pytest.raises(SettingError) as raised:
        complete_data({"name": name})
    assert raised.value.key == ("name",)
