"""Train one pack once: the data, the recipes, the loop."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from trainers.errors import DataError
from trainers.records import DataInfo, EpochRecord, Outcome, Task
from trainers.settings.data import complete_data, known_images
from trainers.settings.recipe import COSMETIC_SETTINGS, check_batch_size, complete_training
from trainers.settings.recipes import RECIPES

if TYPE_CHECKING:
    from trainers.checkpoint import CheckpointError
    from trainers.data import inspect_data
    from trainers.loop import Trainer, TrainResult, train
    from trainers.process import take_share

__all__ = [
    "COSMETIC_SETTINGS",
    "RECIPES",
    "CheckpointError",
    "DataError",
    "DataInfo",
    "EpochRecord",
    "Outcome",
    "Task",
    "TrainResult",
    "Trainer",
    "check_batch_size",
    "complete_data",
    "complete_training",
    "inspect_data",
    "known_images",
    "take_share",
    "train",
]

# What needs torch arrives with its first use, so that checking settings stays fast.
_WITH_TORCH = {
    "CheckpointError": "trainers.checkpoint",
    "inspect_data": "trainers.data",
    "TrainResult": "trainers.loop",
    "Trainer": "trainers.loop",
    "train": "trainers.loop",
    "take_share": "trainers.process",
}


def __getattr__(name: str) -> Any:
    if name in _WITH_TORCH:
        return getattr(import_module(_WITH_TORCH[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
