from typing import ClassVar

import pytest

from search_spaces.errors import SettingError
from trainers import inspect_data
from trainers.testing import DataSetContract


class TestSynthetic(DataSetContract):
    data: ClassVar = {"name": "synthetic", "shape": [2, 5, 7], "classes": 3, "train_size": 30, "test_size": 9}


@pytest.mark.parametrize("size", [10**7, 4 * 10**6])
def test_more_values_than_memory_holds_are_refused_before_any_is_made(size):
    with pytest.raises(SettingError, match="are too many to hold in memory: at most 10,000,000,000"):
        inspect_data({"name": "synthetic", "train_size": size})
