from typing import Annotated, Literal

import pytest

from search_spaces.annotations import Range, Rate
from search_spaces.errors import SettingError
from search_spaces.settings import read_settings


def target(
    given, *, count: int, rate: Rate = 0.5, word: Literal["a", "b"] = "a", flag: bool = False, size: int | None = None
):
    pass


def read(**mapping):
    return read_settings(target, mapping, "target setting", frozenset({"given"}))


def test_defaults_are_filled_in():
    assert read(count=1) == {"count": 1, "rate": 0.5, "word": "a", "flag": False, "size": None}


def test_a_whole_number_becomes_a_float_where_one_is_due():
    assert isinstance(read(count=1, rate=0)["rate"], float)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"cuont": 1}, 'did you mean "count"'),
        ({"given": 1}, "unknown target setting"),
        ({"count": 1.5}, "whole number"),
        ({"count": True}, "whole number"),
        ({"rate": "x"}, "must be a number"),
        ({"rate": float("nan")}, "must be a number"),
        ({"rate": float("-inf")}, "must be a number"),
        ({"rate": 10**400}, "must be a number"),
        ({"rate": 1}, "from 0 below 1"),
        ({"word": "c"}, 'unknown value of word "c"'),
        ({"flag": "yes"}, "true or false"),
        ({"size": "x"}, "whole number"),
    ],
)
def test_wrong_settings_are_refused_at_their_key(setting, message):
    with pytest.raises(SettingError) as caught:
        read(**{"count": 1, **setting})
    assert message in caught.value.message
    assert caught.value.key == (next(iter(setting)),)


def test_a_missing_setting_is_named():
    with pytest.raises(SettingError, match='"count" is missing'):
        read()


@pytest.mark.parametrize(
    ("limits", "text"), [(Range(1), "at least 1"), (Range(0, 1), "from 0 to 1"), (Range(None, 1, True), "below 1")]
)
def test_ranges_in_words(limits, text):
    assert str(limits) == text


def test_annotations_of_dataclasses_and_functions_are_read_alike():
    def function(*, a: Annotated[int, Range(2)] = 2):
        pass

    assert read_settings(function, {}, "x") == {"a": 2}
