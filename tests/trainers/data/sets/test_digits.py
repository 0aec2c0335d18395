from typing import ClassVar

from trainers.testing import DataSetContract


class TestDigits(DataSetContract):
    data: ClassVar = {"name": "digits"}
