"""Published numbers beside ours, like for like: the rows that the claims name."""

from dataclasses import dataclass

from reports.analysis.claims import Claim
from reports.analysis.evidence import cases
from reports.analysis.literature import LiteratureComparison, compare
from reports.analysis.published import Published
from reports.analysis.readings import grid
from reports.findings import Findings
from reports.literature import find_published
from reports.metrics import PRIMARY
from reports.names import arm_names
from reports.sections.section import Section
from reports.sentences import skewness
from reports.sentences.paper import COMPARED, TABLE
from reports.tables import Cell, Column, Table, p_column
from reports.wording import NOTHING, number, shortened, signed
from search_spaces.errors import SettingError

_IN_PAPER = ("arm", "reference", "theirs", "ours", "difference", "low", "high", "n", "verdict")
WORDS = {"consistent": "agrees", "differs": "differs", "cannot tell": "cannot tell"}


@dataclass(frozen=True)
class ComparedRow:
    """One arm beside one published number."""

    verdict: str
    arm: str
    reference: str
    statistic: str
    theirs: str
    ours: str
    difference: str
    note: str


@dataclass(frozen=True)
class Paper:
    """The section's content."""

    lines: tuple[ComparedRow, ...]
    caption: str
    unit: str


def build(findings: Findings) -> Section | None:
    """Build the comparison; nothing when no claim names a published number; one in the claim alone is none."""
    pairs = [
        (claim, arm, compare(values, claim.paper))
        for claim in (verdict.claim for verdict in findings.verdicts)
        if claim.paper is not None and claim.paper != Published(claim.paper.value)
        for arm, values in _arms(findings, claim)
        if values
    ]
    if not pairs:
        return None
    names = arm_names(findings)
    lines = tuple(_line(names.get(arm, arm), compared) for _, arm, compared in pairs)
    narrow = skewness.arms(findings)
    caption = " ".join(filter(None, (COMPARED, narrow)))
    unit = f", {PRIMARY.unit}" if all(claim.metric == PRIMARY.name for claim, *_ in pairs) else ""
    tables = (_table(pairs, narrow),)
    return Section("paper", "Published numbers and ours", Paper(lines, caption, unit), tables=tables)


def _arms(findings: Findings, claim: Claim) -> list[tuple[str, dict[int, float]]]:
    by_arm = grid(findings.study, claim.metric)
    return [(arm, by_arm[arm]) for case in cases(findings.study, claim) for arm in case.weights]


def _line(arm: str, compared: LiteratureComparison) -> ComparedRow:
    published = compared.published
    interval = ""
    if compared.low is not None and compared.high is not None:
        interval = f" [{signed(compared.low)}, {signed(compared.high)}]"
    ours = number(compared.ours) if compared.ours is not None else f"{compared.fails} of {compared.n} fail"
    own = f" [{number(compared.ours_low)}, {number(compared.ours_high)}]" if compared.ours_low is not None else ""
    return ComparedRow(
        WORDS[compared.verdict],
        arm,
        _reference(published),
        _statistic(published),
        "fail" if published.value is None else number(published.value),
        f"{ours}{own} (n={compared.n})",
        f"{signed(compared.difference)}{interval}" if compared.difference is not None else NOTHING,
        compared.note,
    )


def _reference(published: Published) -> str:
    """Return where the number is from: the paper of a row that the project ships, else the words of the claim."""
    if published.reference is None:
        return "not named"
    try:
        row = find_published(published.reference)
    except SettingError:
        return shortened(published.reference, 80)
    return f"{row.where}, {row.table.replace('-', ' ')}: {row.row}"


def _statistic(published: Published) -> str:
    runs = f" of {published.n}" if published.n and published.n > 1 else ""
    spread = f" ± {published.sd:g}" if published.sd is not None else ", no error bar"
    kind = published.statistic or ("mean" if published.sd is not None else "one number")
    return f"{kind}{runs}{spread}"


def _table(pairs: list[tuple[Claim, str, LiteratureComparison]], narrow: str | None) -> Table:
    numbers = ("theirs", "theirs_sd", "theirs_n", "ours", "difference", "low", "high")
    columns = (
        Column("claim", "claim"),
        Column("arm", "arm"),
        Column("reference", "published in"),
        Column("statistic", "statistic"),
        *(Column(key, key.replace("_", " "), 2, is_number=True) for key in numbers),
        p_column("p", "p"),
        Column("n", "n", is_number=True),
        Column("verdict", "verdict"),
        Column("note", "note"),
    )
    rows: list[tuple[Cell, ...]] = []
    for claim, arm, compared in pairs:
        theirs = compared.published
        values = (
            theirs.value,
            theirs.sd,
            theirs.n,
            compared.ours,
            compared.difference,
            compared.low,
            compared.high,
            compared.p,
        )
        rows.append(
            (
                claim.id,
                arm,
                _reference(theirs),
                theirs.statistic,
                *values,
                compared.n,
                WORDS[compared.verdict],
                compared.note,
            )
        )
    caption = " ".join(filter(None, (TABLE, narrow)))
    return Table("published", caption, columns, tuple(rows), _IN_PAPER)
