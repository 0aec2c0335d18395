"""The error for data that is missing, broken or not what was planned with."""

from search_spaces.errors import SettingError


class DataError(SettingError):
    """A fault of the data set's files rather than of a setting: it may lie in one machine, or pass."""
