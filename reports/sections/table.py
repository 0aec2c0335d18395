"""The section of the main table, and the files that hold every number of the arms and of their differences."""

from reports.findings import Findings
from reports.layout import main_layout
from reports.metrics import PRIMARY
from reports.sections.arm_tables import arms_table, contrasts_table
from reports.sections.lowest import lowest_figure
from reports.sections.main_files import main_files
from reports.sections.main_table import MOST_ROWS, cut, main_table
from reports.sections.section import Section


def build(findings: Findings) -> Section | None:
    """Build the main table; nothing without arms."""
    if not findings.arms:
        return None
    layout = main_layout(findings.study, findings.layout)
    content = main_table(findings, layout)
    files = main_files(findings, content, [series.levels for series in layout.series])
    differences = contrasts_table(tuple(findings.contrasts.values()))
    lowest = lowest_figure(findings)
    return Section(
        "table",
        f"{PRIMARY.title.capitalize()} by arm",
        cut(content),
        figures=(lowest,) if lowest else (),
        tables=(arms_table(findings), *([differences] if differences.rows else [])),
        embedded={"copies": files if len(content.lines) <= MOST_ROWS else {}},
        files={f"tables/main.{suffix}": text for suffix, text in files.items()},
    )
