"""The settings under ``training:``: a named recipe, overridden field by field, checked and completed."""

from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.errors import Key, SettingError
from trainers.settings import checks
from trainers.settings.data import COSMETIC, reads_photographs
from trainers.settings.recipes import DEFAULTS, RECIPES
from trainers.settings.schedules import complete_schedule

# What cannot change a result; the recipe's name stands for fields that are all spelt out beside it.
COSMETIC_SETTINGS = frozenset({"training.profile", "training.recipe"} | {f"data.{name}" for name in COSMETIC})

MOST = 1_000_000
"""No training has more epochs, and no batch more images."""
MOST_ITERATIONS = 10**9
RESIZES = ("none", "shorter_side", "area")
INITS = ("as_built", "he_fan_in", "he_fan_out", "uniform_fan_in")


def complete_training(training: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `training` with the named recipe expanded and every default filled in (but those of `_YOUNGER` left out).

    `data` is the completed data mapping, which decides what augmentation can be. A recipe counts ``epochs`` or
    ``iterations``; giving one replaces the other, and leaves drops that are counted in iterations where they are. A
    ``schedule`` without a name changes settings of the recipe's own schedule. A ``momentum`` stays as it is given, also
    where the recipe's schedule would cycle it. Raises SettingError for an unknown key, a wrong value, or parts that do
    not go together.
    """
    training = _with_present_names(training)
    checks.known_keys(training, ("recipe", *DEFAULTS), "training setting")
    recipe = checks.word(training.get("recipe", "quick"), RECIPES, ("recipe",))
    given = {key: value for key, value in training.items() if key != "recipe"}
    merged = {**DEFAULTS, **RECIPES[recipe], **_length(given, RECIPES[recipe]), "recipe": recipe}
    for part in ("schedule", "augment", "init"):
        merged[part] = _merge({**DEFAULTS, **RECIPES[recipe]}[part], given.get(part))
    completed = {key: _COMPLETERS[key](merged[key], (key,)) for key in ("recipe", *DEFAULTS) if key not in _LATER}
    completed["schedule"] = _with_constant_momentum(complete_schedule(merged["schedule"]), given, completed["momentum"])
    _refuse_for(completed, str(data["name"]))
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
    given = checks.mapping(training, ())
    if "race" in given:
        if "autotune" in given:
            raise SettingError("race is the former name of autotune: give autotune alone", ("race",))
        given["autotune"] = given.pop("race")
    if given.get("precision") == "race":
        given["precision"] = "autotune"
    return given


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


def _complete_augment(value: object, key: Key) -> dict[str, Any]:
    """Return the parts: pixels of zero padding to crop from, mirroring, two for large photographs, and the order.

    Images are padded once they are normalised, as the residual papers do, so that a padded pixel is a mean one; with
    ``crop_first`` before, so that it is black, as torchvision's transforms are written in most code.
    """
    given = {} if value == "none" else checks.mapping(value, key)
    checks.known_keys(given, ("crop", "flip", "resize", "colour", "crop_first"), "part of augment", key)
    first = checks.boolean(given.get("crop_first", False), (*key, "crop_first"))
    return {
        "crop": checks.integer(given.get("crop", 0), (*key, "crop"), 0, 64),
        "flip": checks.boolean(given.get("flip", False), (*key, "flip")),
        "resize": checks.word(given.get("resize", "none"), RESIZES, (*key, "resize")),
        "colour": checks.boolean(given.get("colour", False), (*key, "colour")),
        **({"crop_first": True} if first else {}),  # younger than the first results, whose hashes have none
    }


def _complete_init(value: object, key: Key) -> dict[str, str | float]:
    given = checks.mapping(value, key)
    checks.known_keys(given, ("conv", "linear"), "part of init", key)
    return {part: _distribution(given.get(part, "as_built"), (*key, part)) for part in ("conv", "linear")}


def _distribution(value: object, key: Key) -> str | float:
    """Return the name of a distribution, or the standard deviation of a normal one."""
    if isinstance(value, str) and value.isidentifier():
        return checks.word(value, INITS, key)
    return checks.number(value, key, 0, above=True)


def _optional_count(value: object, key: Key) -> int | None:
    return (
        None if value is None else checks.integer(value, key, 1, MOST_ITERATIONS if key[-1] == "iterations" else MOST)
    )


def _one_of(*known: str) -> Callable[[object, Key], str]:
    return lambda value, key: checks.word(value, known, key)


_LATER = ("schedule",)

# Settings that are younger than the first results, whose hashes have none: left out where they change nothing.
_YOUNGER = {"autotune": "auto", "deterministic": True, "cuda_graph": "auto"}

_COMPLETERS: Mapping[str, Callable[[object, Key], Any]] = {
    "recipe": lambda value, key: value,
    "epochs": _optional_count,
    "iterations": _optional_count,
    "batch_size": lambda value, key: checks.integer(value, key, 2, MOST),
    "lr": lambda value, key: checks.number(value, key, 0, above=True),
    "momentum": lambda value, key: checks.number(value, key, 0, 1),
    "nesterov": checks.boolean,
    "momentum_form": _one_of("torch", "caffe"),
    "weight_decay": lambda value, key: checks.number(value, key, 0),
    "decay": _one_of("all", "weights"),
    "normalise": _one_of("channel", "pixel_mean", "none"),
    "augment": _complete_augment,
    "init": _complete_init,
    "evaluate_every": lambda value, key: checks.integer(value, key, 1, MOST),
    "diverged_above": lambda value, key: checks.number(value, key, 0, above=True),
    "precision": _one_of("fp32", "bf16", "auto", "autotune"),
    "memory_format": _one_of("contiguous", "channels_last", "auto"),
    "checkpoint_activations": checks.boolean,
    "fuse": _one_of("never", "always", "auto"),
    "autotune": _one_of("never", "auto"),
    "deterministic": checks.boolean,
    "cuda_graph": _one_of("never", "auto"),
    "profile": checks.boolean,
}
