"""What the section on a search says: what it tried and found, and what its figures and tables show."""

from collections.abc import Callable, Sequence

from reports.analysis.search import SEARCH, STAGE, Searched, best_so_far, searched
from reports.results import Study
from reports.search_numbers import search_numbers
from reports.wording import counted, listed, number, shortened


def named(arm: str) -> str:
    """Return what an arm of a search is called where nothing else than the search is spoken of."""
    return arm.removeprefix(f"{STAGE}={SEARCH} ")


def found(study: Study) -> str | None:
    """Say how many arms were tried, by what they were selected, and which was best; nothing before a result."""
    arms = searched(study)
    known = [arm for arm in arms if arm.error is not None]
    if not known:
        return None
    settings = study.search["settings"]
    best = min(known, key=lambda arm: arm.error or 0.0)
    within = f" within {listed(settings['constraints'])}" if settings.get("constraints") else ""
    return (
        f"{counted(len(arms), 'arm')} by the sampler {settings['sampler']['name']}{within}, selected on "
        f"{100 * settings['validation']:g} % of the training images and on nothing else. "
        f"{search_numbers(study)[best.arm]} has the lowest validation error, {number(best.error)} %; its settings are "
        "in the table below."
    )


def not_trained(study: Study) -> str | None:
    """Count the proposals that were stopped early, answered from the record or rejected; nothing without one."""
    proposals = study.search["proposals"]["search"]
    statuses = [each["status"] for each in proposals]
    bounds = {f"not {each}" for each in study.search["settings"].get("constraints", ())}
    beyond = sum(each["status"] == "rejected" and each["reason"] in bounds for each in proposals)
    parts = [
        (sum(arm.state == "PRUNED" for arm in searched(study)), "stopped early"),
        (sum(each in ("answered", "pending") for each in statuses), "proposed again and answered from the record"),
        (beyond, "rejected by a constraint"),
        (statuses.count("rejected") - beyond, "rejected as no network can be built of them"),
    ]
    said = [f"{count:,} {words}" for count, words in parts if count]
    return f"{', '.join(said).capitalize()}." if said else None


def penalty(study: Study) -> str | None:
    """Say what a diverged seed counts; nothing for a study that is no search."""
    if not study.search:
        return None
    counts = study.search["settings"]["penalty"]
    return f"A seed that diverged counts as {counts:g} % error for the sampler; a failed arm is not told to it."


def control(study: Study) -> str | None:
    """Compare with as many arms drawn at random; nothing where the search has no control with a result."""
    drawn = searched(study, "control")
    if not drawn:
        return None
    ours, random = best_so_far(searched(study))[-1], best_so_far(drawn)[-1]
    if ours is None or random is None:
        return None
    words = "less than" if ours < random else "not less than"
    return (
        f"After as many arms drawn at random the least validation error is {number(random)} %: the search's "
        f"{number(ours)} % is {words} that. One search against one control says little; "
        "a replay over many seeds says more."
    )


def importance(questions: Sequence[tuple[str, str]], is_told: bool) -> str:
    """Name the question of each method; `is_told` where something was computed among some arms alone."""
    asked = " ".join(f"{method}: {question}" for method, question in questions)
    text = f"Which choice matters, by methods that answer different questions. {asked}"
    if not is_told:
        return text
    return (
        f"{text} What only some arms have is told among those; the shares of a method add up to 100 % among the same."
    )


def front(against: str) -> str:
    """Say what the line of the front joins."""
    return f"{against[:1].upper()}{against[1:]}; no arm beats those on the line in both."


def order(is_ranked: bool, noun: str) -> str:
    """Say in which order the parameters stand."""
    return (
        f"the most important {noun} first"
        if is_ranked
        else "in the order of their names, as no importance was computed"
    )


def lines(is_ranked: bool, arms: int, best: int) -> str:
    """Say what the lines of the parallel coordinates are, and which are thick."""
    text = f"Every arm as a line through its error and its choices, {order(is_ranked, 'choices')}."
    if best == 1:
        return f"{text} The thick line is the best of {counted(arms, 'arm')} with a result."
    return f"{text} Thick lines are the best {best} of {counted(arms, 'arm')} with a result, the thickest the best."


def constant(count: int) -> str | None:
    """Say how many parameters are left out as all arms have one value of them; nothing where none is."""
    return f"Left out: {counted(count, 'parameter')} with one value in all arms." if count else None


def best_values(best: int, said: str) -> str:
    """Tell which values the best arms have."""
    return f"{'The best arm' if best == 1 else f'The best {best} arms'}: {said}."


def slices(is_ranked: bool) -> str:
    """Say what the figures by parameter show."""
    return f"Validation error by each parameter, {order(is_ranked, 'ones')}; every point is an arm."


def lowest_at(arms: int, error: float | None, name: str, value: str) -> str:
    """Tell the least error of some arms and the value of a parameter that it has."""
    return (
        f"The least of {counted(arms, 'arm')}, {number(error)} %, is at {shortened(name, 40)} {shortened(value, 40)}."
    )


def same_state(states: set[str]) -> str | None:
    """Say what became of all arms; nothing where that differs."""
    return f"All are {min(states)}." if len(states) == 1 else None


def same_origin(origins: set[str]) -> str | None:
    """Say what proposed all arms; nothing where that differs."""
    return f"All are proposed by {min(origins)}." if len(origins) == 1 else None


def ends(lines: Sequence[tuple[str, float | None]]) -> str:
    """Tell the least validation error of each line."""
    return "; ".join(f"{label} ends at {number(last)} %" for label, last in lines)


def words(arm: Searched) -> str:
    """Tell an arm's place and error."""
    return f"arm {arm.place}: {number(arm.error)} %"


PROGRESS_CAPTION = "The lowest validation error so far, and the error of each arm as a point."
PROGRESS_TABLE = "The validation error of each arm, in the order of training, and the lowest so far."
LINES_TABLE = "The error and the choices of each arm with a result, the best first."
SLICES_TABLE = "The value of each parameter and the validation error, an arm a row."
ARMS_CAPTION = "Every arm of the search, the best first, with the earlier arm that it differs least from."

SUMMARY = (found, not_trained)
NOTES = (penalty, control)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"search.{sentence.__name__}": sentence
    for sentence in (
        *SUMMARY, *NOTES, importance, front, lines, constant, best_values, slices, lowest_at, same_state,
        same_origin, ends,
    )
}  # fmt: skip
