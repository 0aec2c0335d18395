"""Short names of arms: only the levels that tell these arms apart; the arms of a search have numbers."""

from collections.abc import Sequence

from reports.findings import Findings
from reports.search_numbers import search_numbers
from reports.trials import Arm
from reports.wording import level_owners, levels_in_words, shortened

LONGEST_NAME = 120


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
    owners = level_owners(
        {factor: [arm.levels[factor] for arm in chosen if factor in arm.levels] for factor in _factors(chosen)}
    )
    names = {}
    for arm in chosen:
        own = {factor: arm.levels[factor] for factor in varying if factor in arm.levels}
        names[arm.name] = levels_in_words(own, owners, numbers_after) or arm.name
    short = {arm: shortened(name, LONGEST_NAME) for arm, name in names.items()}
    is_distinct = len(set(short.values())) == len(short)
    return short if is_distinct else {arm: shortened(name, len(name)) for arm, name in names.items()}


def _factors(arms: Sequence[Arm]) -> list[str]:
    return list(dict.fromkeys(factor for arm in arms for factor in arm.levels))
