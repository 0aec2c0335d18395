"""The differences between two reports in each format: for a terminal, as Markdown, as JSON, and as a page."""

import base64
import hashlib

from markupsafe import Markup

from reports.diff import ArmChange, Differences
from reports.page import asset, environment
from reports.sentences.changes import NOTHING, counts
from reports.tables import Cell, Column, Table, to_json, to_markdown, to_text
from reports.wording import counted

_BEFORE, _AFTER = "before", "after"


def tables_of(differences: Differences, names: tuple[str, str]) -> tuple[Table, ...]:
    """Return the tables that have a row: verdicts, settings, arms, environments."""
    made = (
        _pairs("verdicts", "Claims whose verdict differs", "claim", differences.verdicts, names),
        _pairs("settings", "Settings that differ", "setting", differences.settings, names),
        _arms(differences, names),
        _pairs("environments", "What trained them", "fact", differences.environments, names),
    )
    return tuple(table for table in made if table.rows)


def _pairs(name: str, caption: str, what: str, rows: tuple[tuple[str, str, str], ...], names: tuple[str, str]) -> Table:
    columns = (Column(what, what), Column(_BEFORE, names[0]), Column(_AFTER, names[1]))
    return Table(name, caption, columns, rows)


def _arms(differences: Differences, names: tuple[str, str]) -> Table:
    columns = (
        Column("arm", "arm"),
        Column("first", f"{names[0]}, %", 2, is_number=True),
        Column("second", f"{names[1]}, %", 2, is_number=True),
        Column("difference", "difference", 2, is_number=True),
        Column("low", "low", 2, is_number=True),
        Column("high", "high", 2, is_number=True),
        Column("n", "n", is_number=True),
        Column("fails", "fails", is_number=True),
        Column("note", "note"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            each.arm,
            each.first,
            each.second,
            each.difference,
            each.low,
            each.high,
            f"{each.first_n}, {each.second_n}",
            f"{each.first_fails}, {each.second_fails}",
            _note(each),
        )
        for each in differences.arms
    ]
    rows += [(name, None, None, None, None, None, None, None, f"only in {names[1]}") for name in differences.added]
    rows += [(name, None, None, None, None, None, None, None, f"only in {names[0]}") for name in differences.removed]
    caption = "Test error by arm: the second less the first, with Welch's 95 % interval, as of independent studies"
    return Table("arms", caption, columns, tuple(rows))


def _note(each: ArmChange) -> str | None:
    if each.same:
        return "the same trials"
    if each.shared:
        return f"{counted(each.shared, 'trial')} in both: no interval"
    return "; ".join(each.badges) or None


def diff_text(differences: Differences, names: tuple[str, str], format: str) -> str:
    """Return the differences as "table" (for a terminal), "markdown", "html" or "json"."""
    tables = tables_of(differences, names)
    if format == "json":
        body = ",\n".join(f'"{table.name}": {to_json(table).rstrip()}' for table in tables)
        return f"{{{body}}}\n"
    if format == "html":
        return _page(differences, names, tables)
    if differences.is_empty():
        return f"{NOTHING}\n"
    if format == "markdown":
        return "\n".join(map(to_markdown, tables))
    return "\n".join(f"{table.caption}\n\n{to_text(table)}" for table in tables)


def _page(differences: Differences, names: tuple[str, str], tables: tuple[Table, ...]) -> str:
    """One offline page without a script."""
    style = asset("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    said = (NOTHING,) if differences.is_empty() else counts(differences)
    page = environment().get_template("diff.html")
    return page.render(names=names, said=said, tables=tables, policy=policy, style=Markup(style)) + "\n"
