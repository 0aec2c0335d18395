"""The settings under ``training:``: a named recipe, overridden field by field, checked and completed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from search_spaces.annotations import About, Words
from search_spaces.errors import SettingError
from search_spaces.settings import as_plain, check, known_keys, read_settings
from trainers.settings import mappings
from trainers.settings.data import COSMETIC, reads_photographs
from trainers.settings.fields import Augment, Training
from trainers.settings.recipes import DEFAULTS, RECIPES
from trainers.settings.schedules import complete_schedule
from trainers.settings.step import complete_step

_KIND = "training setting"
# Settings that are younger than the first results, whose hashes have none: left out where they change nothing.
_YOUNGER = {
    "optimizer": "sgd",
    "autotune": "auto",
    "deterministic": True,
    "cuda_graph": "auto",
    "fused_norm": "never",
    "fused_conv": "never",
    "step": None,
}
# What cannot change a result; the recipe's name stands for fields that are all spelt out beside it.
COSMETIC_SETTINGS = frozenset({"training.profile", "training.recipe"} | {f"data.{name}" for name in COSMETIC})


Recipe = Annotated[str, Words(tuple(RECIPES)), About("the named recipe that the other settings change")]


@dataclass(frozen=True, kw_only=True)
class TrainingWithRecipe(Training):
    """What `training:` may say: a recipe, and settings that override its parts."""

    recipe: Recipe = "quick"


def complete_training(training: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `training` with the named recipe expanded and every default filled in (but those of `_YOUNGER` left out).

    `data` is the completed data mapping, which decides what augmentation can be. A recipe counts ``epochs`` or
    ``iterations``; giving one replaces the other, and leaves drops that are counted in iterations where they are. A
    ``schedule`` without a name changes settings of the recipe's own schedule. A ``momentum`` stays as it is given, also
    where the recipe's schedule would cycle it. Raises SettingError for an unknown key, a wrong value, or parts that do
    not go together.
    """
    named = _with_present_names(training)
    known_keys(named, TrainingWithRecipe, _KIND)
    raw = {key: value for key, value in named.items() if value is not None}
    recipe = check(raw.get("recipe", "quick"), Recipe, "recipe", ("recipe",))
    given = {**_of_optimizer(raw), **{key: value for key, value in raw.items() if key != "recipe"}}
    parts = {**DEFAULTS, **RECIPES[recipe]}
    merged = {**parts, **_length(given, RECIPES[recipe])}
    for part in ("schedule", "augment", "init"):
        merged[part] = _merge(parts[part], given.get(part))
    completed = {"recipe": recipe, **as_plain(read_settings(Training, merged, _KIND))}
    completed["augment"] = _augment(completed["augment"])
    if completed["step"] is not None:
        completed["step"] = complete_step(completed["step"])
    completed["schedule"] = _with_constant_momentum(
        complete_schedule(completed["schedule"]), given, completed["momentum"]
    )
    _refuse_for(completed, str(data["name"]))
    _refuse_for_optimizer(completed)
    if completed["nesterov"] and completed["momentum"] == 0:
        raise SettingError("nesterov needs a momentum above 0", ("nesterov",))
    if completed["nesterov"] and completed["momentum_form"] == "caffe":
        raise SettingError("nesterov is defined for momentum_form: torch only", ("momentum_form",))
    ends_at_zero = completed["schedule"]["name"] == "one_cycle" and completed["schedule"]["end"] == 0
    if completed["momentum_form"] == "caffe" and ends_at_zero:
        raise SettingError("momentum_form: caffe needs rates above 0: set end above 0", ("schedule", "end"))
    for key, first in _YOUNGER.items():
        if completed[key] == first:
            del completed[key]
    return completed


def _with_present_names(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return `training` with the names of today for what version 0.1 called a race."""
    given = mappings.mapping(training, ())
    if "race" in given:
        if "autotune" in given:
            raise SettingError("race is the former name of autotune: give autotune alone", ("race",))
        given["autotune"] = given.pop("race")
    if given.get("precision") == "race":
        given["precision"] = "autotune"
    return given


# A recipe's numbers are those of SGD; these are torch's, so that no other optimiser is compared at a rate of SGD.
_OPTIMIZERS: Mapping[str, Mapping[str, Any]] = {
    "adam": {"lr": 1e-3, "momentum": 0.9, "weight_decay": 0.0},
    "adamw": {"lr": 1e-3, "momentum": 0.9, "weight_decay": 0.01},
    "rmsprop": {"lr": 0.01, "momentum": 0.0, "weight_decay": 0.0},
}


def _of_optimizer(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an optimiser other than SGD puts in the place of the recipe's numbers."""
    name = given.get("optimizer")
    if not isinstance(name, str) or name not in _OPTIMIZERS:
        return {}
    schedule = given.get("schedule")
    if name == "rmsprop" and isinstance(schedule, Mapping) and schedule.get("momentum") is not None:
        raise SettingError("a momentum that cycles is for sgd, adam and adamw", ("schedule", "momentum"))
    return {**_OPTIMIZERS[name], "nesterov": False, "momentum_form": "torch"}


def _refuse_for_optimizer(training: Mapping[str, Any]) -> None:
    """Raise SettingError for what only SGD can do."""
    name = training["optimizer"]
    if name == "sgd":
        return
    if training["nesterov"]:
        raise SettingError(f"nesterov is for sgd; {name} has no such form", ("nesterov",))
    if training["momentum_form"] == "caffe":
        raise SettingError(f"momentum_form: caffe is for sgd; {name} has torch's form", ("momentum_form",))
    if training["momentum"] == 1:
        raise SettingError(f"the momentum of {name} must be below 1", ("momentum",))
    warmup = training["schedule"].get("warmup")
    if isinstance(warmup, Mapping) and warmup["lr"] > training["lr"]:
        raise SettingError(
            f"the warm-up at {warmup['lr']:g} is above the rate of {training['lr']:g} that {name} has: give "
            "schedule.warmup.lr, or lr",
            ("schedule", "warmup", "lr"),
        )


def check_batch_size(training: Mapping[str, Any], train_size: int) -> str | None:
    """Return a note where the recipe's batch is larger than the training set, and None where no batch is.

    Raises SettingError where that batch size was asked for: it would be cut, and train as a smaller one does.
    """
    size = training["batch_size"]
    if size <= train_size:
        return None
    images = f"{train_size:,} training images"
    if size != {**DEFAULTS, **RECIPES[training["recipe"]]}["batch_size"]:
        raise SettingError(f"a batch of {size:,} is larger than the {images}: at most {train_size}", ("batch_size",))
    return f"the batch of {size:,} of recipe {training['recipe']} is cut to the {images}: one step is one epoch"


def _refuse_for(training: Mapping[str, Any], data: str) -> None:
    """Raise SettingError for what cannot be done to the images of that data set."""
    augment, folder = training["augment"], reads_photographs(data)
    for part in ("resize", "colour"):
        if augment[part] not in (False, "none") and not folder:
            raise SettingError(f"{part} is for photographs; {data} can have crop and flip", ("augment", part))
    if augment["crop"] and folder:
        raise SettingError(f"crop pads small images; {data} can have resize, flip and colour", ("augment", "crop"))
    if augment.get("crop_first") and not augment["crop"]:
        raise SettingError("crop_first says when images are cropped: it needs a crop", ("augment", "crop_first"))
    if training["normalise"] == "pixel_mean" and folder:
        raise SettingError(f"pixel_mean needs images of one size; {data} can have channel", ("normalise",))


def _with_constant_momentum(schedule: dict[str, Any], given: Mapping[str, Any], momentum: float) -> dict[str, Any]:
    """Let a momentum that is given replace the recipe's cycled one, unless a cycle is given too."""
    if "momentum" not in given or schedule.get("momentum") is None:
        return schedule
    own = given.get("schedule")
    if not isinstance(own, Mapping) or own.get("momentum") is None:
        return {**schedule, "momentum": None}
    if momentum != DEFAULTS["momentum"]:
        raise SettingError("schedule.momentum cycles the momentum: give one of the two", ("momentum",))
    return schedule


def _length(given: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Let a given number of epochs replace the recipe's number of iterations, and the other way round."""
    result = dict(given)
    epochs, iterations = given.get("epochs"), given.get("iterations")
    if epochs is not None and iterations is not None:
        raise SettingError("give epochs or iterations, not both", ("iterations",))
    if epochs is not None:
        result["iterations"] = None
    elif iterations is not None:
        result["epochs"] = None
    else:
        result.update(epochs=recipe.get("epochs"), iterations=recipe.get("iterations"))
    return result


def _merge(recipe: Mapping[str, Any], given: object) -> object:
    """Lay a mapping that keeps the recipe's kind over the recipe's; anything else replaces it."""
    if given is None:
        return recipe
    if isinstance(given, Mapping) and given.get("name", recipe.get("name")) == recipe.get("name"):
        return {**recipe, **given}
    return given


def _augment(augment: Any) -> dict[str, Any]:
    """Return the parts of the augmentation, also for ``augment: none``."""
    parts: dict[str, Any] = asdict(Augment()) if augment == "none" else dict(augment)
    if not parts["crop_first"]:
        del parts["crop_first"]  # younger than the first results, whose hashes have none
    return parts
