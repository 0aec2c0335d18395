"""What the section on a search says: what it tried and found, and what its figures and tables show."""

from collections.abc import Callable, Sequence

from reports.analysis.search import SEARCH, STAGE, Searched, front, lowest, objectives, searched
from reports.findings import Findings
from reports.results import Study
from reports.search_numbers import search_numbers
from reports.trials import State
from reports.wording import counted, listed, number, shortened

BASELINE, STOPPED = "baseline", State.PRUNED
OBJECTIVES = {
    "val_error": "validation error",
    "params": "parameters",
    "flops": "multiply-adds",
    "seconds": "training time",
}
"""What a search can make small, in words."""
_COUNTED = {"params": "the number of parameters", "flops": "the number of multiply-adds"}


def named(arm: str) -> str:
    """Return what an arm of a search is called where nothing else than the search is spoken of."""
    return arm.removeprefix(f"{STAGE}={SEARCH} ")


def tried(findings: Findings) -> str | None:
    """Say in the head of the page what a search saw so far while none of its arms is confirmed on the test set."""
    study = findings.whole
    arms = searched(study)
    best = lowest(arms)
    if not best or any(summary.n for summary in findings.summaries.values()):
        return None
    stopped = sum(arm.state == STOPPED for arm in arms)
    early = f", {stopped:,} of which it stopped early" if stopped else ""
    confirmed = "No confirmation of an arm is on record." if study.is_replay else "No arm is confirmed on the test set."
    return (
        f"The search has tried {counted(len(arms), 'arm')}{early}; the lowest validation error is "
        f"{number(best[0].error)} %, that of {_named(study, best)}. {confirmed}"
    )


def front_ends(findings: Findings) -> str | None:
    """Tell both ends of the front; nothing for a search with one objective."""
    study = findings.whole
    names = objectives(study)[:2]
    points = sorted(arm.values for arm in searched(study) if arm.values and arm.arm in front(study, 2))
    if len(names) < 2 or not points:
        return None
    ends = [" with ".join(map(_measured, names, point)) for point in dict.fromkeys((points[0], points[-1]))]
    arms = counted(len(points), "arm")
    return f"The search's Pareto front of {listed(map(OBJECTIVES.get, names))} has {arms}: {' to '.join(ends)}."


def _measured(objective: str, value: float) -> str:
    if objective == "val_error":
        return f"{number(value)} %"
    return f"{number(value, 1)} s" if objective == "seconds" else f"{value:,.0f} {OBJECTIVES[objective]}"


def searched_arms(study: Study) -> str | None:
    """Count the arms of a search and of its control; nothing for a study that is no search."""
    if not study.search:
        return None
    drawn = len(searched(study, "control"))
    return counted(len(searched(study)), "arm") + (f", and {drawn:,} at random" if drawn else "")


def found(study: Study) -> str | None:
    """Say how many arms were tried, by what they were selected, and which was best; nothing before a result."""
    arms = searched(study)
    best = lowest(arms)
    if not best:
        return None
    settings = study.search["settings"]
    proposed = sum(arm.origin != BASELINE for arm in arms)
    first = "" if proposed == len(arms) else "the baseline and "
    within = f" within {listed(settings['constraints'])}" if settings.get("constraints") else ""
    who = f"{first}{counted(proposed, 'arm')} by the sampler {settings['sampler']['name']}{within}"
    with_seeds = f", with {counted(settings['seeds_per_arm'], 'seed')} an arm" if "seeds_per_arm" in settings else ""
    verb, place = ("has", "its settings are") if len(best) == 1 else ("have", "their settings are")
    return (
        f"{_capital(who)}{with_seeds}, selected by {selected_by(study)}. {_capital(_named(study, best))} {verb} the "
        f"lowest validation error, {number(best[0].error)} %; {place} in the table below."
    )


def selected_by(study: Study) -> str:
    """Say by what a search selects its arms."""
    share = f"{100 * study.search['settings']['validation']:g} % of the training images"
    others = [_COUNTED.get(each, OBJECTIVES[each]) for each in objectives(study) if each != "val_error"]
    if not others:
        return f"the validation error alone, on {share}"
    return f"{listed([f'the validation error on {share}', *others])}"


def on_front(study: Study) -> str | None:
    """Say how many arms are on the front, and that the search ranks these first; nothing with one objective."""
    names = front(study)
    if not names:
        return None
    verb = "is" if len(names) == 1 else "are"
    made_small = listed(OBJECTIVES[each] for each in objectives(study))
    return (
        f"{counted(len(names), 'arm')} {verb} on the Pareto front of {made_small}; the search ranks the front first, "
        "and within it by validation error."
    )


def not_trained(study: Study) -> str | None:
    """Count the proposals that were stopped early, came again or were rejected; nothing without one."""
    proposals = study.search["proposals"]["search"]
    statuses = [each["status"] for each in proposals]
    bounds = {f"not {each}" for each in study.search["settings"].get("constraints", ())}
    beyond = sum(each["status"] == "rejected" and each["reason"] in bounds for each in proposals)
    parts = [
        (sum(arm.state == STOPPED for arm in searched(study)), "stopped early"),
        (sum(each in ("answered", "pending") for each in statuses), "proposed again and not trained again"),
        (beyond, "rejected by a constraint"),
        (statuses.count("rejected") - beyond, "rejected as no network can be built of them"),
    ]
    said = [f"{count:,} {words}" for count, words in parts if count]
    return f"{', '.join(said).capitalize()}." if said else None


def penalty(study: Study) -> str | None:
    """Say what a diverged seed counted; nothing where none of the search diverged."""
    arms = {arm.arm for role in ("search", "control") for arm in searched(study, role)}
    if not any(trial.state is State.DIVERGED and trial.arm in arms for trial in study.trials):
        return None
    return f"A seed that diverged counts as {study.search['settings']['penalty']:g} % error for the sampler."


def not_told(study: Study) -> str | None:
    """Say that the sampler does not learn of arms that crashed; nothing where none did."""
    if not any(arm.state == State.FAILED for arm in searched(study)):
        return None
    return "An arm that crashed is not told to the sampler."


def control(study: Study) -> str | None:
    """Compare with as many arms drawn at random; nothing where the search has no control with a result."""
    ours, random = lowest(searched(study)), lowest(searched(study, "control"))
    if not ours or not random:
        return None
    mine, other = ours[0].error or 0.0, random[0].error or 0.0
    words = "lower" if mine < other else "higher" if mine > other else "the same"
    return (
        f"As many arms drawn at random reach a lowest validation error of {number(other)} %: the search's "
        f"{number(mine)} % is {words}. One search against one control says little; a replay over many seeds says more."
    )


def _named(study: Study, arms: Sequence[Searched]) -> str:
    names = search_numbers(study)
    return listed(["the baseline" if arm.origin == BASELINE else names[arm.arm] for arm in arms], 5)


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def importance(questions: Sequence[tuple[str, str]], is_told: bool) -> str:
    """Name the question of each method; `is_told` where something was computed among some arms alone."""
    asked = " ".join(f"{method}: {question}" for method, question in questions)
    text = f"Which choice matters, by methods that answer different questions. {asked}"
    if not is_told:
        return text
    return (
        f"{text} What only some arms have is told among those; the shares of a method add up to 100 % among the same."
    )


def front_line(against: str, beating: int | None) -> str:
    """Say what the line of the front joins, and how many of the arms drawn at random beat one on it, where any were."""
    rule = "as good in both and better in one"
    circles = "" if beating is None else ", circles are arms drawn at random"
    text = (
        f"{_capital(against)}: squares are the search's arms{circles}. The line joins their Pareto front: no other of "
        f"them is {rule}."
    )
    if beating is None:
        return text
    than = f"{counted(beating, 'arm')} drawn at random {'is' if beating == 1 else 'are'}" if beating else "No circle is"
    return f"{text} {than} {rule} than one on the line."


def order(is_ranked: bool, noun: str) -> str:
    """Say in which order the parameters stand."""
    return (
        f"the most important {noun} by fANOVA first"
        if is_ranked
        else "in the order of their names, as no importance was computed"
    )


def lines(is_ranked: bool, arms: int, best: int, has_front: bool) -> str:
    """Say what the lines of the parallel coordinates are, and which are thick."""
    text = f"Every arm as a line through its error and its choices, {order(is_ranked, 'choices')}."
    of = f"of {counted(arms, 'arm')} with a result"
    which = "on the Pareto front" if has_front else "with the lowest error"
    if best == 1:
        return f"{text} The thick line is the arm {which} {of}."
    thickest = "; the thickest has the lowest error of them" if has_front else ", the thickest the lowest"
    return f"{text} Thick lines are the {best} arms {which} {of}{thickest}."


def constant(count: int) -> str | None:
    """Say how many parameters are left out as all arms have one value of them; nothing where none is."""
    return f"Left out: {counted(count, 'parameter')} with one value in all arms." if count else None


def best_values(best: int, said: str) -> str:
    """Tell which values the arms of the thick lines have."""
    return f"{'The thick line' if best == 1 else f'The {best} thick lines'}: {said}."


def slices(is_ranked: bool) -> str:
    """Say what the figures by parameter show."""
    return f"Validation error by each parameter, {order(is_ranked, 'ones')}; every point is an arm."


def lowest_at(arms: int, error: float | None, name: str, values: Sequence[str]) -> str:
    """Tell the lowest error of some arms and the values of a parameter that have it."""
    at = listed((shortened(value, 40) for value in values), 4)
    return f"The lowest of {counted(arms, 'arm')}, {number(error)} %, is at {shortened(name, 40)} {at}."


def same_state(states: set[str]) -> str | None:
    """Say what became of all arms; nothing where that differs."""
    return f"All are {min(states)}." if len(states) == 1 else None


def same_origin(origins: set[str]) -> str | None:
    """Say what proposed all arms; nothing where that differs."""
    return f"All are proposed by {min(origins)}." if len(origins) == 1 else None


def arms_caption(study: Study) -> str:
    """Say in which order the table has the arms."""
    first = "as the search ranks them, those of the Pareto front first" if front(study) else "the lowest error first"
    return f"Every arm of the search, {first}, with the earlier arm that it differs least from."


def ends(lines: Sequence[tuple[str, float | None]]) -> str:
    """Tell the lowest validation error of each line."""
    return "; ".join(f"{label} ends at {number(last)} %" for label, last in lines)


def words(arm: Searched) -> str:
    """Tell an arm's place and error."""
    return f"arm {arm.place}: {number(arm.error)} %"


PROGRESS_CAPTION = "The lowest validation error so far, and that of each arm with a result as a point."
PROGRESS_TABLE = "The validation error of each arm, in the order of training, and the lowest so far."
LINES_TABLE = "The error and the choices of each arm with a result, in the order of the table of arms."
SLICES_TABLE = "The value of each parameter and the validation error, an arm a row."

SUMMARY = (found, on_front, not_trained)
NOTES = (penalty, not_told, control)

SENTENCES: dict[str, Callable[..., str | None]] = {
    f"search.{sentence.__name__}": sentence
    for sentence in (
        *SUMMARY, *NOTES, importance, front_line, lines, constant, best_values, slices, lowest_at, same_state,
        same_origin, arms_caption, ends,
    )
}  # fmt: skip
