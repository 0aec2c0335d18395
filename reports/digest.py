"""A report in a few lines of Markdown, for a pull request or a chat."""

from reports.findings import Findings
from reports.layout import main_layout
from reports.sections.claims import in_words
from reports.sections.main_files import main_files
from reports.sections.main_table import main_table
from reports.sentences.headline import headline
from reports.tables import Column, Table, escape_markdown, p_column, to_markdown
from reports.wording import number


def markdown_digest(findings: Findings) -> str:
    """Return the headline, the claims and the main table as Markdown."""
    parts = [f"## {escape_markdown(findings.study.name)}"]
    if findings.study.question:
        parts.append(f"*{escape_markdown(findings.study.question)}*")
    parts += [escape_markdown(sentence) for sentence in headline(findings)]
    if findings.verdicts:
        parts.append(to_markdown(_claims(findings)))
    if findings.arms:
        layout = main_layout(findings.study, findings.layout)
        table = main_table(findings, layout)
        parts.append(main_files(findings, table, [series.levels for series in layout.series])["md"])
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _claims(findings: Findings) -> Table:
    columns = (
        Column("verdict", "verdict"),
        Column("says", "claim"),
        Column("effect", "effect", is_number=True),
        Column("n", "n", is_number=True),
        p_column("p", "p"),
        Column("marks", "marks"),
    )
    rows = tuple(
        (
            each.word,
            in_words(each),
            None if each.estimate is None else f"{number(each.estimate)} [{number(each.low)}, {number(each.high)}]",
            each.n,
            each.p_look if each.p_holm is None else each.p_holm,
            "; ".join(each.badges) or None,
        )
        for each in findings.verdicts
    )
    table = Table("claims", "", columns, rows)
    return table if any(each.badges for each in findings.verdicts) else table.without("marks")
