"""Whether a probe declares what it measures in a way that can be stored, drawn and claimed; free of torch."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from search_spaces.errors import Key, SettingError, shown, unknown
from trainers.probes.probe import Probe, Row, Value

_DECLARED = ("title", "source", "places", "outputs", "scalars", "views")


def check_probe(where: str, probe: type[Probe], key: Key = ()) -> None:
    """Raise SettingError for the first thing that is wrong with the declaration of a probe that stands in `where`."""
    for problem in _problems(probe):
        raise SettingError(f"{where}: {probe.__name__} {problem}", key)


def _problems(probe: type[Probe]) -> Iterator[str]:
    if missing := sorted(getattr(probe, "__abstractmethods__", ())):
        yield f"does not define {', '.join(missing)}"
    if missing := [each for each in _DECLARED if not hasattr(probe, each)]:
        yield f"does not declare {', '.join(missing)}"
    columns = [*(each.name for each in probe.places), *(each.name for each in probe.outputs)]
    scalars = [each.name for each in probe.scalars]
    for name in (*_twice(columns), *_twice(scalars)):
        yield f'declares "{name}" twice'
    if "epoch" in columns:
        yield "declares epoch, which every row has of itself"
    for name in (*columns, *scalars):
        if not name.isidentifier():
            yield f'declares "{name}": a name is made of letters, digits and underscores, a digit not being the first'
    for scalar in probe.scalars:
        if scalar.better not in ("lower", "higher", None):
            yield f'says better={shown(scalar.better)} of the scalar "{scalar.name}": it is "lower", "higher" or None'
    yield from _wrong_views(probe)


def _wrong_views(probe: type[Probe]) -> Iterator[str]:
    places, outputs = ([each.name for each in part] for part in (probe.places, probe.outputs))
    for view in probe.views:
        if view.output not in outputs:
            yield f'draws in the view "{view.title}" an {_unknown("output", view.output, outputs)}'
        if len(view.axes) not in (1, 2):
            yield f'has {len(view.axes)} axes in the view "{view.title}": a picture has one axis or two'
        for axis in view.axes:
            if axis not in (*places, *outputs, "epoch"):
                yield f'has in the view "{view.title}" an {_unknown("axis", axis, (*places, *outputs, "epoch"))}'
        for place in view.where:
            if place not in (*places, "epoch"):
                yield f'keeps in the view "{view.title}" rows by an {_unknown("place", place, (*places, "epoch"))}'


def check_rows(kind: str, probe: Probe, rows: object) -> list[Row]:
    """Return the rows that a probe measured; SettingError for the first thing in them that it does not declare."""
    places, outputs = ({each.name for each in part} for part in (probe.places, probe.outputs))
    if not isinstance(rows, Iterable):
        raise SettingError(f"{kind} yields {shown(rows)} instead of a list of rows")
    checked = []
    for row in rows:
        if not isinstance(row, Row):
            raise SettingError(f"{kind} yields {shown(row)} as a row, which is no Row")
        for name in row.at.keys() - places:
            raise SettingError(f"{kind} measures at an {_unknown('place', name, places)}")
        for name in row.numbers.keys() - outputs:
            raise SettingError(f"{kind} measures an {_unknown('output', name, outputs)}")
        at = {name: _place(kind, name, value) for name, value in row.at.items()}
        numbers = {name: _number(kind, name, value) for name, value in row.numbers.items()}
        checked.append(Row(at, numbers, row.epoch))
    return checked


def check_scalars(kind: str, probe: Probe, scalars: object) -> dict[str, float | None]:
    """Return the scalars of a network; SettingError for one that the probe does not declare, or that is no number."""
    if not isinstance(scalars, Mapping):
        raise SettingError(f"{kind} summarises its rows as {shown(scalars)} instead of a dict of numbers")
    declared = {each.name for each in probe.scalars}
    for name in scalars.keys() - declared:
        raise SettingError(f"{kind} finds an {_unknown('scalar', name, declared)}")
    return {name: _number(kind, name, value) for name, value in scalars.items()}


def _number(kind: str, name: str, value: object) -> float | None:
    plain = _plain(value)
    if plain is None or isinstance(plain, int | float):
        return None if plain is None else float(plain)
    raise SettingError(f'{kind} gives "{name}" the value {shown(value)}, which is no number')


def _place(kind: str, name: str, value: object) -> Value:
    plain = _plain(value)
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    if isinstance(plain, list | tuple) and all(isinstance(_plain(each), int) for each in plain):
        return [int(each) for each in plain]
    raise SettingError(
        f'{kind} gives the place "{name}" the value {shown(value)}: a place is a number, a text or whole numbers'
    )


def _plain(value: object) -> object:
    """Return a scalar of NumPy or torch as a plain one."""
    item = getattr(value, "item", None)
    return item() if item is not None and getattr(value, "ndim", 1) == 0 else value


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _unknown(kind: str, name: object, known: Iterable[str]) -> str:
    return unknown(kind, name, known).message
