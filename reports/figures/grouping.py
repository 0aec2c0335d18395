"""What neighbouring SVG elements have in common, said once: a cell of a map is then its colour and its corners."""

import re
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

_INHERITED = {"fill", "stroke", "stroke-width", "stroke-linecap", "stroke-dasharray", "font-size", "text-anchor"}
_COLOURS = re.compile(r"(?:[fs]-\w+ ?)+")

LEAST_SAVED = 500
"""How many characters a group saves at least; short runs stay as they are."""


def grouped(elements: Sequence[ET.Element]) -> list[ET.Element]:
    """Return the elements with runs of one kind put into groups that carry their common attributes.

    Nothing is drawn otherwise: only what children inherit moves to the group, and what clips paths.
    """
    made: list[ET.Element] = []
    at = 0
    while at < len(elements):
        end, common = _run(elements, at)
        run = elements[at:end]
        if common:
            group = ET.Element("g", dict(common))
            for each in run:
                each.attrib = {key: value for key, value in each.attrib.items() if key not in common}
            group[:] = grouped(run)
            run = [group]
        made += run
        at = end
    return made


def _run(elements: Sequence[ET.Element], start: int) -> tuple[int, Mapping[str, str]]:
    """Return where the run that saves most ends, and what its elements have in common; nothing where none saves."""
    first = elements[start]
    common = {key: value for key, value in first.attrib.items() if _can_move(first, key)}
    best, saved, shared = start + 1, LEAST_SAVED, {}
    for at in range(start + 1, len(elements)):
        each = elements[at]
        if each.tag != first.tag:
            break
        common = {key: value for key, value in common.items() if each.get(key) == value and _can_move(each, key)}
        if not common:
            break
        gain = (at - start) * sum(len(f' {key}="{value}"') for key, value in common.items())
        if gain > saved:
            best, saved, shared = at + 1, gain, common
    return best, shared


def _can_move(element: ET.Element, key: str) -> bool:
    """Whether an attribute means the same on a group around the element."""
    if key == "clip-path":
        return element.tag == "path" and "transform" not in element.attrib
    if key == "class":
        return _COLOURS.fullmatch(element.attrib[key]) is not None
    return key in _INHERITED
