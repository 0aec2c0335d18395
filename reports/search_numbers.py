"""The numbers that the arms of a search go by."""

from reports.analysis.search import SEARCH, STAGE, searched
from reports.results import Study


def search_numbers(study: Study) -> dict[str, str]:
    """Return "#35" for each arm that the study's search proposed, by the arm's name; nothing for another design.

    The baseline goes by that word, also where a constraint kept it out of the search.
    """
    prefix = f"{STAGE}={SEARCH} "
    baseline = study.search.get("baseline")
    names = {} if baseline is None else dict.fromkeys((baseline, baseline.removeprefix(prefix)), "baseline")
    for arm in searched(study):
        name = "baseline" if arm.origin == "baseline" else f"#{arm.place}"
        names[arm.arm] = names[arm.arm.removeprefix(prefix)] = name
    return names
