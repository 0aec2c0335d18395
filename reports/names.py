"""Short names of arms: only the levels that tell these arms apart; the arms of a search have numbers."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from reports.findings import Findings
from reports.search_numbers import search_numbers
from reports.trials import Arm, Scalar
from reports.wording import level, shortened

LONGEST_NAME = 120
_BETWEEN_SETTINGS = re.compile(r" (?=[\w.-]+=)")


def arm_names(findings: Findings, arms: Sequence[Arm] | None = None, numbers_after: str = " at ") -> dict[str, str]:
    """Name each of these arms (by default all of the study) by the levels in which they differ, by the arm's name.

    A word stands alone where only one factor has it as a level; a number follows its factor: "preact at depth 110", or
    after a comma in a figure, which leaves out what all its names share. An
    arm that a search proposed is called by its number there, "#35", since its levels would fill the page.
    """
    chosen = findings.arms if arms is None else arms
    numbers = search_numbers(findings.whole)
    if chosen and any(arm.name in numbers for arm in chosen):
        return {arm.name: numbers.get(arm.name) or shortened(arm.name, LONGEST_NAME) for arm in chosen}
    varying = [factor for factor in _factors(chosen) if len({arm.levels.get(factor) for arm in chosen}) > 1]
    owners = Counter(text for factor in _factors(chosen) for text in _texts(chosen, factor))
    names = {arm.name: _name(arm.levels, varying, owners, numbers_after) or arm.name for arm in chosen}
    short = {arm: shortened(name, LONGEST_NAME) for arm, name in names.items()}
    is_distinct = len(set(short.values())) == len(short)
    return short if is_distinct else {arm: shortened(name, len(name)) for arm, name in names.items()}


def _factors(arms: Sequence[Arm]) -> list[str]:
    return list(dict.fromkeys(factor for arm in arms for factor in arm.levels))


def _texts(arms: Sequence[Arm], factor: str) -> set[str]:
    return {level(arm.levels[factor]) for arm in arms if factor in arm.levels}


def _name(levels: Mapping[str, Scalar], varying: Sequence[str], owners: Mapping[str, int], numbers_after: str) -> str:
    words: list[str] = []
    numbers: list[str] = []
    for factor in varying:
        if factor in levels:
            text = level(levels[factor])
            is_word = isinstance(levels[factor], str) and owners[text] == 1 and text[:1].isalpha()
            (words if is_word else numbers).append(text if is_word else f"{factor} {text}")
    return numbers_after.join(filter(None, (", ".join(words), ", ".join(numbers))))


def settings_in_words(settings: Sequence[str]) -> dict[str, str]:
    """Return texts such as "depth=8 unit=preact" in words, by the text: "preact, depth 8".

    As in the names of arms a word stands alone where only one factor has it.
    """
    levels = {text: _parsed(text) for text in settings}
    owners = Counter(value for _, value in {pair for own in levels.values() for pair in own.items()})
    words = {}
    for text, own in levels.items():
        alone = [value for value in own.values() if owners[value] == 1 and value[:1].isalpha()]
        words[text] = ", ".join([*alone, *(f"{factor} {value}" for factor, value in own.items() if value not in alone)])
    return words


def _parsed(settings: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in _BETWEEN_SETTINGS.split(settings) if each)
    return {factor: _written(value) for factor, _, value in pairs}


def _written(value: str) -> str:
    """Return a number as the page writes levels: 1e+09, not 1000000000.0."""
    try:
        return level(float(value)) if "." in value else value
    except ValueError:
        return value
