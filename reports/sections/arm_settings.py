"""What each arm sets otherwise than the baseline that it is compared with."""

from collections.abc import Callable, Iterator

from reports.findings import Findings
from reports.flat_settings import flat, in_words
from reports.names import arm_names
from reports.sentences.methods import ARM_SETTINGS
from reports.tables import Column, Table
from reports.trials import Arm
from reports.wording import shortened

NOT_SET = "not set"
LONGEST_ARM = 160
_COLUMNS = (
    Column("arm", "arm"),
    Column("setting", "setting"),
    Column("baseline", "of the baseline"),
    Column("own", "of the arm"),
)


def shown_name(findings: Findings) -> Callable[[str], str]:
    """Return how the page calls an arm beside its settings: by its number in a search, else by its levels."""
    names = arm_names(findings)
    return lambda name: names.get(name) or shortened(name, LONGEST_ARM)


def arm_settings(findings: Findings, named: Callable[[str], str] = str) -> Table:
    """Return a row for each setting in which an arm differs from its baseline; arms without a baseline have none."""
    rows = tuple(
        (named(contrast.arm.name), key, theirs, own)
        for contrast in findings.contrasts.values()
        for key, theirs, own in differing(contrast.baseline, contrast.arm)
    )
    return Table("arm-settings", ARM_SETTINGS, _COLUMNS, rows)


def differing(baseline: Arm, arm: Arm) -> Iterator[tuple[str, str, str]]:
    """Yield each setting by its path with both values in words, in the order of the baseline's settings."""
    theirs, own = dict(flat(baseline.settings)), dict(flat(arm.settings))
    for key in {**theirs, **own}:
        if theirs.get(key, NOT_SET) != own.get(key, NOT_SET):
            before, after = (in_words(each[key]) if key in each else NOT_SET for each in (theirs, own))
            yield key, before, after
