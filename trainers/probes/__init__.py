"""The probes by name, and what a study file says of them; nothing here needs torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from search_spaces.arm import settings_hash
from search_spaces.errors import SettingError, unknown, with_key
from search_spaces.settings import read_settings
from trainers.probes import own
from trainers.probes.declaration import check_probe
from trainers.probes.probe import Probe, Row, Scalar, Workload

__all__ = [
    "PROBES",
    "Probe",
    "ProbeRequest",
    "Row",
    "Scalar",
    "Workload",
    "complete_probes",
    "find_probe",
    "measurement_key",
    "probe_kind",
]

_SHARED = ("declaration", "line", "own", "probe", "session", "subject")


def find_probes() -> dict[str, type[Probe]]:
    """Return the one probe that each module of this folder defines, by the module's name.

    Raises SettingError for a module that defines none or several, or one that declares something wrong.
    """
    probes = {}
    for module in iter_modules(__path__):
        if module.name not in _SHARED:
            probes[module.name] = _defined_in(module.name)
            check_probe(f"trainers/probes/{module.name}.py", probes[module.name])
    return probes


def _defined_in(name: str) -> type[Probe]:
    module = f"{__name__}.{name}"
    defined = [
        each
        for each in vars(import_module(module)).values()
        if isinstance(each, type) and issubclass(each, Probe) and each.__module__ == module
    ]
    if len(defined) != 1:
        names = ", ".join(each.__name__ for each in defined) or "none"
        raise SettingError(f"trainers/probes/{name}.py: a file here defines one class derived from Probe, not {names}")
    return defined[0]


PROBES: Mapping[str, type[Probe]] = find_probes()
"""The probes by the names that study files give them."""


def find_probe(name: str) -> type[Probe]:
    """Return the probe of that name, or the user's own, which is imported."""
    return own.load_probe(name) if own.is_own(name) else PROBES[name]


def probe_kind(name: str) -> str:
    """Return what a probe is called wherever its findings are: its name, or that of a class of the user's own."""
    return name.partition(":")[2] if own.is_own(name) else name


@dataclass(frozen=True)
class ProbeRequest:
    """A probe that a study asks for by name, with every setting; `key` identifies the settings."""

    name: str
    settings: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Return what the probe is called wherever its findings are."""
        return probe_kind(self.name)

    @property
    def key(self) -> str:
        """Return the hash of the settings: a measurement with others is another measurement."""
        return measurement_key(self.name, self.settings)

    @property
    def probe(self) -> Probe:
        """Return the probe with these settings."""
        arguments = own.arguments(self.settings) if own.is_own(self.name) else self.settings
        return find_probe(self.name)(**arguments)


def measurement_key(name: str, settings: Mapping[str, Any]) -> str:
    """Return what identifies a probe with these complete settings, in the form that earlier versions knew."""
    later = PROBES[name].later_settings.items() if name in PROBES else ()
    return settings_hash({"probe": name, **dict(each for each in settings.items() if each not in later)})


def complete_probes(given: object) -> tuple[ProbeRequest, ...]:
    """Return what the list `probes:` of a study file asks for, every default filled in.

    An entry is a name, or a mapping of a ``name`` and settings; ``package.module:Class`` names a class of the user's
    own. Raises SettingError, its key beginning with the entry's place, for unknown names and settings, naming the
    nearest, and for a probe that stands twice.
    """
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise SettingError(f"probes is a list such as [layer_response, lesion], not {given!r}")
    requests: list[ProbeRequest] = []
    for place, entry in enumerate(given):
        request = with_key(place, _complete, entry)
        if request.kind in {each.kind for each in requests}:
            raise SettingError(f"{request.kind} stands twice; a study measures each probe with one setting", (place,))
        requests.append(request)
    return tuple(requests)


def _complete(entry: object) -> ProbeRequest:
    mapping = {"name": entry} if isinstance(entry, str) else entry
    if not isinstance(mapping, Mapping) or mapping.get("name") is None:
        raise SettingError(f"a probe is a name or a mapping such as {{name: loss_surface, points: 51}}, not {entry!r}")
    name = mapping["name"]
    key = ("name",) if isinstance(entry, Mapping) else ()
    rest = {str(key): value for key, value in mapping.items() if key != "name"}
    if isinstance(name, str) and own.is_own(name):
        if probe_kind(name) in PROBES:
            raise SettingError(f"{name} has the name of a probe that is there already: give the class another", key)
        return ProbeRequest(name, own.complete(name, rest, key))
    if not isinstance(name, str) or name not in PROBES:
        raise unknown("probe", name, [*PROBES, "package.module:Class"], key)
    return ProbeRequest(name, read_settings(PROBES[name], rest, f"{name} setting"))
