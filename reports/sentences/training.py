"""How the networks were trained, as a paper says it: length, optimizer, learning rate, augmentation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.findings import Findings
from reports.flat_settings import flat
from reports.wording import counted, level, listed, shortened

Shared = Mapping[str, Any]
"""The settings below `training:` that all arms share, by their path from it."""

MOST_NAMED = 4
_OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
_PLACES = {"iterations": "iterations", "epochs": "epochs", "fraction": "of the training"}
_AUGMENT = {
    "crop": "crops after padding by {} pixels",
    "flip": "mirror images",
    "resize": "resizing ({})",
    "colour": "changed colours",
}


def shared(findings: Findings, root: str) -> dict[str, Any]:
    """Return the settings below `root` that all arms share, by their path from it."""
    every = [arm.settings.get(root) for arm in findings.arms]
    known = [dict(flat(each)) for each in every if isinstance(each, Mapping)]
    if not known or len(known) < len(every):
        return {}
    return {key: value for key, value in known[0].items() if all(key in each and each[key] == value for each in known)}


def training(findings: Findings) -> str | None:
    """Tell how all arms were trained, as far as they share it; nothing where they share none of it."""
    parts = list(_parts(shared(findings, "training"), _optimizers(findings)))
    if not parts:
        return None
    apart = [f"training.{key}" for key in _differing(findings, "training")]
    but = f" apart from {listed([shortened(each, 40) for each in apart], MOST_NAMED)}" if apart else ""
    return f"Training, the same in every arm{but}: {'; '.join(parts)}. Every other setting stands under Provenance."


def _differing(findings: Findings, root: str) -> list[str]:
    """Return the settings below `root` in which arms differ, by their path from it."""
    same = shared(findings, root)
    every = [arm.settings.get(root) for arm in findings.arms]
    found = dict.fromkeys(key for each in every if isinstance(each, Mapping) for key, _ in flat(each))
    return [key for key in found if key not in same]


def _optimizers(findings: Findings) -> set[str]:
    """The optimizers of the arms; SGD, the default, is one that settings need not name."""
    every = [arm.settings.get("training") for arm in findings.arms]
    return {str(each.get("optimizer", "sgd")) for each in every if isinstance(each, Mapping)}


def _parts(told: Shared, optimizers: set[str]) -> Iterator[str]:
    if length := _length(told):
        yield length
    if len(optimizers) == 1 and "momentum" in told:
        yield _optimizer(told, next(iter(optimizers)))
    if "schedule.name" in told:
        yield _rate(told)
    if (augmented := _augmentation(told)) is not None:
        yield augmented


def _length(told: Shared) -> str:
    epochs, iterations, batch = (told.get(key) for key in ("epochs", "iterations", "batch_size"))
    text = counted(epochs, "epoch") if epochs else counted(iterations, "iteration") if iterations else ""
    if batch:
        text = f"{text} in batches of {batch:,} images" if text else f"batches of {batch:,} images"
    recipe = f"recipe {shortened(str(told['recipe']), 40)}" if "recipe" in told else ""
    return f"{text} ({recipe})" if text and recipe else text or recipe


def _optimizer(told: Shared, name: str) -> str:
    cycle = told.get("schedule.momentum")
    kind = "Nesterov momentum" if told.get("nesterov") else "momentum"
    if name.startswith("adam"):
        kind = "a first beta of"
    if isinstance(cycle, Sequence) and len(cycle) == 2:
        held = f"{kind} (cycled between {cycle[0]:g} and {cycle[1]:g}, against the learning rate)"
    else:
        held = f"{kind} {told['momentum']:g}" + (" in Caffe's form" if told.get("momentum_form") == "caffe" else "")
    return f"{_OPTIMIZERS.get(name, name)} with {held}{_decay(told)}"


def _decay(told: Shared) -> str:
    decay = told.get("weight_decay")
    if decay is None:
        return ""
    of = " of the weights alone" if told.get("decay") == "weights" else ""
    return f" and weight decay {decay:g}{of}" if decay else " and no weight decay"


def _rate(told: Shared) -> str:
    """Tell the schedule; where arms differ in the rate, in parts of each arm's own."""
    name, rate = told["schedule.name"], told.get("lr")
    peak = "its peak" if rate is None else f"{rate:g}"
    warmup, start, end = (told.get(f"schedule.{key}") for key in ("warmup", "start", "end"))
    if name == "one_cycle" and None not in (warmup, start, end):
        return (
            f"a one-cycle learning rate that rises from {_share(start)} of {peak} to {peak} over the first "
            f"{_share(warmup)} of the steps and falls to {_share(end)} of it"
        )
    if name == "cosine" and None not in (warmup, end):
        rise = f", after a linear warm-up over the first {_share(warmup)} of the steps" if warmup else ""
        low = f"{_share(end)} of it" if end else "zero"
        return f"a learning rate that falls from {peak} to {low} along half a cosine{rise}"
    plain = "the learning rate of each arm" if rate is None else f"learning rate {peak}"
    if name == "step" and "schedule.drops" in told:
        return f"{plain}{_drops(told)}{_warmup(told)}"
    if name == "constant":
        return f"{'a constant learning rate' if rate is None else f'a constant learning rate of {peak}'}{_warmup(told)}"
    return f"{plain}, schedule {shortened(str(name), 40)}"


def _drops(told: Shared) -> str:
    drops, unit = told["schedule.drops"], str(told.get("schedule.unit", ""))
    if not drops:
        return ""
    at = listed([_share(each) if unit == "fraction" else f"{each:,g}" for each in drops])
    return f", multiplied by {told.get('schedule.factor', 0.1):g} after {at} {_PLACES.get(unit, unit)}".rstrip()


def _warmup(told: Shared) -> str:
    steps, rate = told.get("schedule.warmup.iterations"), told.get("schedule.warmup.lr")
    return f", the first {counted(steps, 'iteration')} at {rate:g}" if steps and rate is not None else ""


def _augmentation(told: Shared) -> str | None:
    known = {key: told[f"augment.{key}"] for key in _AUGMENT if f"augment.{key}" in told}
    if not known:
        return None
    used = [_AUGMENT[key].format(level(value)) for key, value in known.items() if value and value != "none"]
    return f"augmentation by {listed(used)}" if used else "no augmentation"


def _share(value: Any) -> str:
    """Return a share in per cent, with as many digits as it has: 20 %, 0.0004 %."""
    return f"{float(f'{100 * value:.6g}'):.10f}".rstrip("0").rstrip(".") + " %"
