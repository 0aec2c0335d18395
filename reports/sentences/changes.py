"""What differs between two reports, in sentences."""

from collections.abc import Callable

from reports.diff import ArmChange, Differences
from reports.wording import counted, listed, number, shortened, signed

MOST_LINES = 12
FIRST = "This is the first report of the study in its folder."
NOTHING_MOVED = "No setting, arm, result or verdict moved; only what the report tells beside them."
NOTHING = "Nothing differs."


def moved_verdicts(differences: Differences) -> tuple[str, ...]:
    """Say which verdicts moved."""
    return tuple(f"The verdict on {claim} moved from {one} to {other}." for claim, one, other in differences.verdicts)


def changed_settings(differences: Differences) -> tuple[str, ...]:
    """Say which settings changed, and count those beyond the first."""
    rest = len(differences.settings) - MOST_LINES
    said = [f"{key} was {one} and is {other}." for key, one, other in differences.settings[:MOST_LINES]]
    return (*said, *([f"{counted(rest, 'more setting')} changed."] if rest > 0 else []))


def other_arms(differences: Differences) -> tuple[str, ...]:
    """Say which arms are new or left out."""
    return tuple(
        f"{counted(len(names), 'arm')} {verb}: {listed(shortened(each, 60) for each in names)}."
        for names, verb in ((differences.added, "added"), (differences.removed, "left out"))
        if names
    )


def other_results(differences: Differences) -> tuple[str, ...]:
    """Tell the arms with other results, and count those beyond the first."""
    moved = [each for each in differences.arms if not each.same]
    rest = len(moved) - MOST_LINES
    said = [_moved(each) for each in moved[:MOST_LINES]]
    return (*said, *([f"{counted(rest, 'more arm')} with other results."] if rest > 0 else []))


def _moved(each: ArmChange) -> str:
    name = shortened(each.arm, 60)
    seeds = f"n={each.first_n}, now {each.second_n}" if each.first_n != each.second_n else f"n={each.second_n}"
    if each.difference is None:
        return f"{name}: {each.second_fails} of {each.second_n} fail, before {each.first_fails} of {each.first_n}."
    return f"{name}: {number(each.second)} %, before {number(each.first)} % ({signed(each.difference)}, {seeds})."


def sentences_of(differences: Differences) -> tuple[str, ...]:
    """Say what moved from the first to the second; nothing where nothing did."""
    parts = (moved_verdicts, changed_settings, other_arms, other_results)
    return tuple(sentence for part in parts for sentence in part(differences))


def counts(differences: Differences) -> tuple[str, ...]:
    """Count what differs, the verdicts first."""
    moved = sum("none" not in each[1:] for each in differences.verdicts)
    changed = sum(not each.same for each in differences.arms)
    settings, added, removed = len(differences.settings), len(differences.added), len(differences.removed)
    return (
        f"{counted(moved, 'verdict')} moved." if moved else "No verdict moved.",
        f"{counted(settings, 'setting')} {'differs' if settings == 1 else 'differ'}; "
        f"{counted(added, 'arm')} only in the second study, {removed} only in the first; "
        f"of the {counted(len(differences.arms), 'arm')} in both, {changed} with other results.",
    )


def _joined(say: Callable[[Differences], tuple[str, ...]]) -> Callable[[Differences], str | None]:
    return lambda differences: " ".join(say(differences)) or None


SENTENCES: dict[str, Callable[..., str | None]] = {
    f"changes.{say.__name__}": _joined(say)
    for say in (moved_verdicts, changed_settings, other_arms, other_results, counts)
}
