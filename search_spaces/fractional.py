"""Fractional factorial designs of two-level factors, and which effects they cannot tell apart."""

from itertools import combinations, islice
from math import prod
from string import ascii_lowercase

from search_spaces.errors import SettingError
from search_spaces.request import Request
from search_spaces.space import Levels

RESOLUTION = 4
_ROMAN = {4: "IV", 5: "V", 6: "VI", 7: "VII"}
Row = tuple[int, ...]


def fractional_factorial(request: Request) -> list[Levels]:
    """Return the smallest regular fraction of resolution IV or more that holds the baseline, in every context.

    Main effects are then clear of each other and of two-factor interactions. Three factors or fewer get every
    combination, as no smaller fraction has that resolution.
    """
    others = _others(request)
    names = list(others)
    parts = []
    for row in _fraction(len(names)):
        changed = {name: others[name] for name, sign in zip(names, row, strict=True) if sign > 0}
        parts.append({**request.baseline, **changed})
    return request.in_every_context(parts)


def aliasing(request: Request) -> list[str]:
    """Return one line for each set of two-factor interactions that the fraction confounds with each other."""
    names = list(_others(request))
    rows = _fraction(len(names))
    groups: dict[Row, list[str]] = {}
    for one, other in combinations(range(len(names)), 2):
        column = tuple(row[one] * row[other] for row in rows)
        if column[0] < 0:
            column = tuple(-sign for sign in column)
        groups.setdefault(column, []).append(f"{names[one]} × {names[other]}")
    confounded = [" = ".join(group) for group in groups.values() if len(group) > 1]
    whole = 2 ** len(names)
    if len(rows) == whole:
        return [f"all {whole} combinations run: no effect is confounded"]
    roman = _ROMAN.get(resolution(rows, at_most=max(_ROMAN)) or 0, "beyond VII")
    clear = "main effects and two-factor interactions are clear of each other"
    if confounded:
        clear = "main effects are clear of two-factor interactions; these are confounded with each other:"
    return [f"{len(rows)} of {whole} combinations, resolution {roman}: {clear}", *confounded]


def _others(request: Request) -> dict[str, str | int | float | bool]:
    for factor in request.varied:
        if len(factor.levels) > 2:
            raise SettingError(
                f"fractional_factorial takes factors of two levels; {factor.name} has {len(factor.levels)}: drop some, "
                f"or leave {factor.name} out of the baseline, and the fraction runs at each of its levels"
            )
    return request.other_levels(None, "baseline")


def _fraction(factors: int) -> list[Row]:
    """Return the rows of signs, the first all -1 (the baseline)."""
    if factors == 0:
        return [()]
    rows = _full(factors) if factors <= RESOLUTION - 1 else _library_fraction(factors)
    flip = [-sign for sign in rows[0]]
    rows = [tuple(sign * turn for sign, turn in zip(row, flip, strict=True)) for row in rows]
    reached = resolution(rows, at_most=RESOLUTION - 1)
    if reached is not None:
        raise AssertionError(f"the fraction for {factors} factors has resolution {reached}, not {RESOLUTION}")
    return rows


def resolution(rows: list[Row], at_most: int) -> int | None:
    """Return the size of the smallest set of columns whose product is constant, None if none has up to `at_most`."""
    for size in range(1, at_most + 1):
        for columns in combinations(range(len(rows[0])), size):
            if len({prod(row[column] for column in columns) for row in rows}) == 1:
                return size
    return None


def _full(factors: int) -> list[Row]:
    return [tuple(1 if number >> bit & 1 else -1 for bit in range(factors)) for number in range(2**factors)]


def _library_fraction(factors: int) -> list[Row]:
    from pyDOE3 import fracfact  # a slow import that only this design needs

    return [tuple(round(float(sign)) for sign in row) for row in fracfact(" ".join(generators(factors)))]


def generators(factors: int) -> list[str]:
    """Return each factor's column as a product of base columns: ``a b c abc`` for four factors.

    Products of an odd number of base columns cannot cancel in threes, so any of them keep resolution IV; 2^(k-1) such
    columns exist on k base columns. One factor more than the base takes the product of all, which resolves most.
    """
    base = next(k for k in range(RESOLUTION - 1, factors + 1) if 2 ** (k - 1) >= factors)
    letters = ascii_lowercase[:base]
    if factors == base + 1:
        return [*letters, letters]
    words = ("".join(word) for size in range(3, base + 1, 2) for word in combinations(letters, size))
    return [*letters, *islice(words, factors - base)]
