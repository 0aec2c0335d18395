"""A worker trains on the data that was planned with, or says on which host which folder differs."""

import pickle
import socket
from dataclasses import replace

import pytest

from search_spaces.errors import SettingError
from tests.trainers.networks import TINY, task
from trainers import DataError, Trainer, inspect_data


def test_the_data_that_was_planned_with_is_trained_on():
    planned = replace(task(data=TINY), fingerprint=inspect_data(TINY).fingerprint)
    assert Trainer(planned).run_epoch()


def test_other_data_is_refused_before_it_is_trained_on():
    planned = replace(task(data=TINY), fingerprint=inspect_data({**TINY, "seed": 1}).fingerprint)
    with pytest.raises(DataError, match=f"synthetic on host {socket.gethostname()} is not the data that was planned"):
        Trainer(planned)


def test_an_error_of_the_data_keeps_its_kind_and_its_key():
    error = DataError("torn", ("root",)).under("data")
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, DataError)
    assert isinstance(copy, SettingError)
    assert (copy.message, copy.key) == ("torn", ("data", "root"))
