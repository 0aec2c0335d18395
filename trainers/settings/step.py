"""The setting ``training.step``: a function of the user's own that says what a training minimises and what it counts.

    def step(network, images, labels, *, smoothing: float = 0.1):
        ...
        return losses, errors

`network` is in training mode when a step is taken and in evaluation mode when it is scored (`network.training`
tells), `images` are (N, C, H, W) and `labels` (N). It returns the loss of each image (N), whose mean is minimised, and
the error of each image (N), from 0 to 1, whose mean becomes the error in per cent. The other arguments, each with a
default, are the settings of the step.

The completed settings carry a digest of its module's code under ``code``: what is minimised is part of an arm's
identity. Comments and layout do not count.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from search_spaces.arm import canonical_json
from search_spaces.errors import SettingError, shown
from search_spaces.settings import read_settings
from search_spaces.user_code import check_signature, code_digest, load_function

KEY = ("step",)
_GIVEN = frozenset({"network", "images", "labels"})
_OWN = ("name", "code")


def complete_step(given: Any) -> dict[str, Any]:
    """Return a step, a name or a mapping with ``name``, with every setting of it filled in, and its code's digest.

    Raises SettingError for a function that cannot be found or does not take what it is given, an unknown setting, a
    wrong value, and the digest of other code.
    """
    mapping = {"name": given} if isinstance(given, str) else given
    if not isinstance(mapping, Mapping) or not isinstance(mapping.get("name"), str):
        right = '"package.module:function", or a mapping {name: "package.module:function", ...}'
        raise SettingError(f"step must be {right}, not {shown(given)}", KEY)
    name = mapping["name"]
    function, digest = load_step(name), code_digest(name)
    if mapping.get("code", digest) != digest:
        raise SettingError(f"{name} has changed: it is not the code that {mapping['code']} stands for", (*KEY, "code"))
    own = {key: value for key, value in mapping.items() if key not in _OWN}
    try:
        settings = read_settings(function, own, f"setting of {name}", _GIVEN)
        canonical_json(settings)
    except SettingError as error:
        raise error.under(*KEY) from None
    except (TypeError, ValueError) as error:
        raise SettingError(f"a setting of {name} cannot be written as JSON: {error}", KEY) from None
    return {"name": name, **settings, "code": digest}


def load_step(name: str) -> Callable[..., Any]:
    """Import the function that ``package.module:function`` names; SettingError says what is missing."""
    step = load_function(name, "function", KEY)
    check_signature(name, step, _GIVEN, KEY)
    if reserved := set(_OWN) & set(inspect.signature(step).parameters):
        raise SettingError(f"{name} cannot have a setting {min(reserved)}: every step has one", KEY)
    return step


def own_settings(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the user's function takes, of a completed step."""
    return {key: value for key, value in step.items() if key not in _OWN}
