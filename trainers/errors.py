"""The errors of a machine rather than of a setting: its data, or its GPU, is not what a training needs."""

from search_spaces.errors import SettingError


class DataError(SettingError):
    """A fault of the data set's files rather than of a setting: it may lie in one machine, or pass."""


class NoRoom(Exception):
    """A share of a GPU is too small for a process; the message says by how much."""
