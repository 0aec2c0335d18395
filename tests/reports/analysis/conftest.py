import gc

import pytest


@pytest.fixture
def collected_in_no_time():
    """Spare the garbage collector what pytest has loaded: Holm's correction by statsmodels collects at every call."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
