"""Families of the user's own: their code is part of an arm, and what goes wrong in them is one message."""

import linecache
import sys

import pytest

from search_spaces import SettingError, build_network, complete_network, complexity
from search_spaces.arm import settings_hash

FAMILY = """
from torch import nn

def build(*, input_shape, num_classes, depth: int = 1):
    {comment}
    return nn.Sequential(nn.Flatten(), nn.Linear(64, {outputs}))
"""
BROKEN = """
import functools
import torch
from torch import nn

class Own(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.linear, self.compute = nn.Linear(64, 4), forward

    def forward(self, x):
        return self.compute(self.linear(x.flatten(1)))

def raises(*, input_shape, num_classes):
    raise RuntimeError("no such depth")

def forward_raises(*, input_shape, num_classes):
    return Own(lambda x: x.nothing)

def too_many(*, input_shape, num_classes):
    return Own(lambda x: torch.cat([x, x], 1))

def a_tuple(*, input_shape, num_classes):
    return Own(lambda x: (x, x))

def complex_numbers(*, input_shape, num_classes):
    return Own(lambda x: torch.complex(x, x))

def detached(*, input_shape, num_classes):
    return Own(lambda x: x.detach())

def without_gradients(*, input_shape, num_classes):
    return Own(torch.no_grad()(lambda x: x * 1))

def frozen(*, input_shape, num_classes):
    return Own(lambda x: x).requires_grad_(False)

def whole_numbers(*, input_shape, num_classes):
    return Own(lambda x: x.long())

def nothing_to_train(*, input_shape, num_classes):
    return nn.Flatten()

def forward_ends(*, input_shape, num_classes):
    return Own(lambda x: exit(3))

STEM, NORM = nn.Conv2d(1, 4, 8), nn.BatchNorm1d(64, affine=False)

def module_of_all(*, input_shape, num_classes):
    return nn.Sequential(STEM, nn.Flatten(), nn.Linear(4, 4))

@functools.cache
def stem():
    return nn.Linear(64, 64)

def cached_module(*, input_shape, num_classes):
    return nn.Sequential(nn.Flatten(), stem(), nn.Linear(64, 4))

def statistics_of_all(*, input_shape, num_classes):
    return nn.Sequential(nn.Flatten(), NORM, nn.Linear(64, 4))

def digest(*, input_shape, num_classes, code: int = 1):
    return nn.Linear(1, 1)
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a module and forget what was imported of it before."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def module(text):
        sys.modules.pop("families_of_mine", None)
        path = tmp_path / "families_of_mine.py"
        path.write_text(text)
        linecache.clearcache()
        return "families_of_mine:"

    yield module
    sys.modules.pop("families_of_mine", None)


def completed(write, **changes):
    family = write(FAMILY.format(**{"comment": "pass", "outputs": "num_classes", **changes}))
    return complete_network({"family": f"{family}build"})


def test_changed_code_is_another_arm_and_a_changed_comment_is_none(write):
    first = completed(write)
    assert settings_hash(completed(write, comment="pass  # as before")) == settings_hash(first)
    assert settings_hash(completed(write, outputs="num_classes + 0")) != settings_hash(first)


def test_settings_of_other_code_are_refused(write):
    first = completed(write)
    completed(write, outputs="num_classes + 0")
    with pytest.raises(SettingError, match="has changed") as raised:
        build_network(first, (1, 8, 8), 4)
    assert raised.value.key == ("code",)


@pytest.mark.parametrize(
    ("builder", "message"),
    [
        ("raises", "raised RuntimeError: no such depth"),
        ("forward_ends", "forward_ends ends the program"),
        ("forward_raises", "its forward pass raised AttributeError"),
        ("too_many", r"logits of shape \(2, 4\); it returned \(2, 8\)"),
        ("a_tuple", r"logits of shape \(2, 4\); it returned no tensor"),
        ("complex_numbers", "floating-point numbers; it returned complex64"),
        ("whole_numbers", "floating-point numbers; it returned int64"),
        ("detached", "its logits have no gradient"),
        ("without_gradients", "its logits have no gradient"),
        ("frozen", "without a parameter to train"),
        ("nothing_to_train", "without a parameter to train"),
        ("digest", "cannot have a setting code"),
        ("module_of_all", "two networks that it builds have the same 0.weight"),
        ("cached_module", "two networks that it builds have the same 1.weight"),
        ("statistics_of_all", "two networks that it builds have the same 1.running_mean"),
    ],
)
def test_what_goes_wrong_in_a_family_is_one_message(builder, message, write):
    with pytest.raises(SettingError, match=message) as raised:
        complexity({"family": write(BROKEN) + builder}, (1, 8, 8), 4)
    assert raised.value.key == ("family",)


def test_a_class_without_a_signature_is_refused():
    with pytest.raises(SettingError, match="has no signature"):
        complete_network({"family": "builtins:dict"})
