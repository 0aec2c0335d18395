"""Which tests stay together on one of pytest's workers."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together, and all tests that start clusters, so that no two clusters run at once."""
    for item in items:
        together = "cluster" if item.get_closest_marker("cluster") else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(together))
