"""Whether a training is long enough for its schedule: drops of the rate that never come, a warm-up that never ends."""

from collections.abc import Mapping
from typing import Any


def cut_short(training: Mapping[str, Any], images: int) -> str | None:
    """Return what the length of a training leaves out of its schedule, and what would be right; None where nothing.

    `training` is completed, `images` is the number of training images. Schedules in shares of the training are never
    cut short; those of papers count iterations or epochs, and ``epochs:`` does not move them.
    """
    schedule = training["schedule"]
    batch = min(int(training["batch_size"]), images)
    per_epoch = images // batch + (images % batch > 1)
    steps = int(training["iterations"] or training["epochs"] * per_epoch)
    warmup = schedule.get("warmup")
    if isinstance(warmup, Mapping) and warmup["iterations"] >= steps:
        return (
            f"its {steps:,} steps are all warm-up, at the rate {warmup['lr']:g}, since the warm-up takes "
            f"{warmup['iterations']:,}: shorten schedule.warmup.iterations, or train longer"
        )
    if schedule["name"] != "step" or schedule["unit"] == "fraction":
        return None
    unit = schedule["unit"]
    size = per_epoch if unit == "epochs" else 1
    missed = [drop for drop in schedule["drops"] if round(drop * size) >= steps]
    if not missed:
        return None
    length = f"{steps:,} steps" if unit == "iterations" else f"{steps / per_epoch:g} epochs"
    never = "never drops" if len(missed) == len(schedule["drops"]) else "does not drop for the last time"
    return (
        f"its rate {never}: it takes {length}, and the recipe's schedule drops the rate after "
        f"{' and '.join(f'{drop:,g}' for drop in schedule['drops'])} {unit}; to scale it with the length, "
        "`schedule: {unit: fraction, drops: [0.5, 0.75]}`"
    )
