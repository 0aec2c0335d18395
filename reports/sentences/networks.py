"""What the drawings and tables of the networks show."""

from collections.abc import Callable, Sequence

from reports.wording import counted
from search_spaces.drawing import UnitDrawing

STAGES = "Networks stage by stage, for one image: the shape that a stage puts out, and how many units it has."
ALL_STAGES = "Every arm's network stage by stage: output, units, convolutions, parameters and multiply-adds."


def units(drawn: Sequence[UnitDrawing]) -> str | None:
    """Say what is drawn; nothing without a unit."""
    if not drawn:
        return None
    return (
        "The unit that each network repeats, drawn where it does not change the shape of the signal. The signal runs "
        "downwards, with the shortcut on the left."
    )


def outlines(drawn: Sequence[UnitDrawing]) -> str | None:
    """Say what heavy outlines mark; nothing where no unit has any."""
    if not any(unit.shortcut and (unit.shortcut.layers or unit.shortcut.gate) for unit in drawn):
        return None
    return "Heavy outlines mark what stands on the shortcut or weighs it."


def shared(groups: Sequence[str], is_short: bool) -> str | None:
    """Name the arms that share a drawing, or say only that some do; nothing where none does."""
    if not groups:
        return None
    if not is_short:
        return "Arms that differ in nothing that a drawing shows share it."
    return f"Arms that share a drawing: {'; '.join(groups)}."


def more_units(count: int) -> str | None:
    """Say how many units are not drawn; nothing where all are."""
    return f"{counted(count, 'more unit')} told in words in tables/units.csv." if count > 0 else None


def more_networks(count: int) -> str | None:
    """Say how many networks the page does not tell in words; nothing where it tells all."""
    return f"{counted(count, 'more network')} in the table of all arms." if count > 0 else None


def unit(wiring: str, arms: str) -> str:
    """Tell a unit's wiring in words and which arms have it."""
    return f"{wiring} In {arms}."


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"networks.{sentence.__name__}": sentence for sentence in (units, outlines, shared, more_units, more_networks, unit)
}
