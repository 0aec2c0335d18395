"""A training step of the user's own, as `trainers.settings.step` describes it: called, and its answer checked."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from search_spaces.errors import SettingError
from trainers.settings.step import KEY, complete_step, load_step, own_settings

OwnStep = Callable[[nn.Module, Tensor, Tensor], tuple[Tensor, Tensor]]
"""From a network, images (N, C, H, W) and labels (N) to losses (N) and errors from 0 to 1 (N), both of a float type."""


def load_own_step(training: Mapping[str, Any]) -> OwnStep | None:
    """Return the step that the completed ``training:`` settings name; None for cross-entropy and wrong answers.

    Raises SettingError where its code is not the one that the settings were completed with.
    """
    if "step" not in training:
        return None
    settings = complete_step(training["step"])
    name, function, own = settings["name"], load_step(settings["name"]), own_settings(settings)

    def step(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        returned = function(network, images, labels, **own)
        if not isinstance(returned, tuple | list) or len(returned) != 2:
            raise _wrong(name, f"must return losses and errors, not {type(returned).__name__}")
        losses, errors = (_checked(name, what, each, labels) for what, each in zip(_PARTS, returned, strict=True))
        return losses, errors.detach()

    return step


_PARTS = ("losses", "errors")


def _checked(name: str, what: str, given: object, labels: Tensor) -> Tensor:
    if not isinstance(given, Tensor) or given.is_complex():
        raise _wrong(name, f"must return {what} as a tensor of real numbers, not {type(given).__name__}")
    if given.shape != labels.shape:
        advice = ' (reduction="none" keeps one an image)' if given.dim() == 0 else ""
        raise _wrong(name, f"must return {what} of shape {[*labels.shape]}, one an image, not {[*given.shape]}{advice}")
    return given.to(torch.promote_types(given.dtype, torch.float32))


def _wrong(name: str, what: str) -> SettingError:
    return SettingError(f"{name} {what}", ("training", *KEY))
