"""What the section on data says of its files and commands."""

from reports.findings import Findings

CURVES = "one row a trial and epoch, in six digits"
PRECISE = "the same in full precision"
TRAINS = "trains what is missing, and nothing twice"
REPLAYS = "answers every trial from the results database, trains nothing, and makes this page again"
REPORTS = "makes this page again from the results database"
QUERIES = "reads the results themselves"


def trials(findings: Findings) -> str:
    """Say which trials the file of trials has."""
    if findings.whole.search:
        return "one row a trial of the confirmation, factors as columns; tables/search-arms.csv has the search"
    return "one row a trial, factors as columns"
