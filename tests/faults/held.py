"""Trainings that stand still in the middle until they are let go, so that what is done to them comes at the right time.

How fast the machine is decides nothing: after `HELD_AFTER` steps a training waits for a file beside its study file.
"""

from pathlib import Path

import yaml

HELD_AFTER = 50
NETWORK = f"""
import pathlib
import time

from torch import nn

GO_ON = pathlib.Path(__file__).with_name("go_on")


class Held(nn.BatchNorm2d):
    def forward(self, x):
        if self.training and not x.is_meta:
            while self.num_batches_tracked >= {HELD_AFTER} and not GO_ON.exists():
                time.sleep(0.05)
        return super().forward(x)


def build(*, width, input_shape, num_classes):
    channels = input_shape[0]
    return nn.Sequential(
        Held(channels), nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1),
        nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes)
    )
"""
STUDY = {
    "data": "digits",
    "network": {"family": "held:build", "width": 8},
    "factors": {"variant": {"narrow": {"width": 4}, "wide": {}}},
    "baseline": {"variant": "wide"},
    "training": {"recipe": "quick", "epochs": 6},
    "seeds": 2,
    "fail_above": 95,
}


def hold(file: Path, **resources: int | str) -> None:
    """Write a study of four trials, each of which stands still in its third epoch until `let_go`."""
    file.with_name("held.py").write_text(NETWORK)
    study = {"study": file.stem, **STUDY, "resources": {"checkpoint_seconds": 0, **resources}}
    file.write_text(yaml.safe_dump(study, sort_keys=False))


def let_go(file: Path) -> None:
    """Let every training of the study go on to its end."""
    file.with_name("go_on").touch()
