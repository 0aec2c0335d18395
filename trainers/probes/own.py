"""Probes of the user's own: ``package.module:Class`` in a study file names a class derived from `Probe`.

Everywhere else such a probe goes by the name of its class. Its settings carry a digest of its module's code under
``code``: a probe that computes something else measures anew. Comments and layout do not count.
"""

from collections.abc import Mapping
from typing import Any

from search_spaces.arm import canonical_json
from search_spaces.errors import Key, SettingError
from search_spaces.settings import read_settings, settings_of
from search_spaces.user_code import calling, code_digest, load_function
from trainers.probes.declaration import check_probe
from trainers.probes.probe import Probe

_CODE = "code"
_RESERVED = frozenset({"name", _CODE})


def is_own(name: str) -> bool:
    """Whether a probe's name is that of a class of the user's own."""
    return ":" in name


def load_probe(name: str, key: Key = ()) -> type[Probe]:
    """Import the class that ``package.module:Class`` names; SettingError (with `key`) says what is wrong with it."""
    probe = load_function(name, "class", key)
    if not (isinstance(probe, type) and issubclass(probe, Probe)):
        raise SettingError(f"{name} is no class derived from trainers.probes.probe.Probe", key)
    with calling(name, key):
        check_probe(name, probe, key)
        known = {each.name for each in settings_of(probe)}
    if reserved := _RESERVED & known:
        raise SettingError(f"{name} cannot have a setting {min(reserved)}: every probe has one", key)
    return probe


def complete(name: str, mapping: Mapping[str, Any], key: Key) -> dict[str, Any]:
    """Return every setting of the user's probe, checked, and the digest of its code.

    SettingError where `mapping` has the digest of other code: it was completed with another version of the module.
    """
    probe, digest = load_probe(name, key), code_digest(name)
    if mapping.get(_CODE, digest) != digest:
        raise SettingError(f"{name} has changed: it is not the code that {_CODE} {mapping[_CODE]} stands for", (_CODE,))
    with calling(name, key):
        settings = read_settings(probe, arguments(mapping), f"setting of {name}")
        probe(**settings)
    try:
        canonical_json(settings)
    except (TypeError, ValueError) as error:
        raise SettingError(f"a setting of {name} cannot be written as JSON: {error}", key) from None
    return {**settings, _CODE: digest}


def arguments(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the user's class takes."""
    return {key: value for key, value in settings.items() if key != _CODE}
