"""The report of a study: one offline HTML page, and beside it the same numbers as tables, figures and data."""

import base64
import hashlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports.analysis.verdicts import Verdict, judge
from reports.badge import badge
from reports.data_files import data_files
from reports.figures.figure import Figure, Panel
from reports.figures.pdf import to_pdf
from reports.findings import Findings, find
from reports.names import arm_names
from reports.privacy import without_private_facts
from reports.results import Study
from reports.sections import sections_of
from reports.sections.changes import build as changes
from reports.sections.changes import changes_since
from reports.sections.margins import BRIEF
from reports.sections.section import Section
from reports.summary import canonical, summary_of
from reports.tables import WRITERS
from reports.trials import State
from reports.wording import drawn_controls

SCRIPTS = ("report.js", "trials.js", "figures.js", "epochs.js", "arms.js", "ranges.js", "settings.js")
LEADING = ("samplers", "search-front", "search-progress", "depth", "claims", BRIEF, "effects", "lowest")
"""The figures that may stand on the first screen, the best first."""
TALLEST_LEAD, BROADEST_LEAD = 500, 600
"""Pixels, above which a figure leaves no room on the first screen for anything else."""
SUMMARY, LIVE_SUMMARY = "study.json", "live.json"
"""What a report says as data, and what the page of a study in training says until its last report."""
_JOIN = "\N{NO-BREAK SPACE}"
_TEMPLATES = Path(__file__).parent / "templates"


def write_report(
    study: Study,
    folder: Path,
    verdicts: Sequence[Verdict] | None = None,
    *,
    include_host: bool = False,
    is_last: bool = True,
) -> Path:
    """Write the report of `study` into `folder` and return the path of its page.

    `verdicts` are those of the study's claims; by default the claims of its file are judged here and now.
    The same study gives the same bytes, whenever and wherever it is written. Host names and folders stay out of all
    files unless `include_host`. Files of an earlier report that this one no longer has are removed. One that is not the
    last of its run leaves the `study.json` before it, with which the last one is compared, and has a `live.json` in
    its place until then. OSError when the folder cannot be written.
    """
    name = SUMMARY if is_last else LIVE_SUMMARY
    files = report_files(study, verdicts, _published(folder), include_host=include_host, summary_file=name)
    if is_last:
        _remove_stale(folder, files)
    for name, content in files.items():
        _write(folder / name, content)
    if is_last:
        (folder / LIVE_SUMMARY).unlink(missing_ok=True)
    return folder / "index.html"


def report_files(
    study: Study,
    verdicts: Sequence[Verdict] | None = None,
    before: Mapping[str, Any] | None = None,
    *,
    include_host: bool = False,
    summary_file: str = SUMMARY,
) -> dict[str, str | bytes]:
    """Return the contents of every file of a report by its path; `before` is the `study.json` that it follows."""
    if verdicts is None:
        verdicts = judge(study, study.claims)
    findings = find(without_private_facts(study, include_host=include_host), verdicts)
    text = canonical(summary_of(findings))
    report_id, summary = hashlib.sha256(text.encode()).hexdigest()[:16], json.loads(text)
    changed = changes_since(before, summary, report_id)
    sections = (*sections_of(findings), changes(changed))
    files: dict[str, str | bytes] = dict(_files(findings, sections))
    files["badge.svg"] = badge(findings.verdicts)
    files["index.html"] = render(findings, sections, report_id, tuple(files), summary_file)
    whole = {**summary, "report": report_id, "changes": changed.as_data(), "files": sorted([*files, summary_file])}
    files[summary_file] = canonical(whole) + "\n"
    return files


def _published(folder: Path) -> Mapping[str, Any] | None:
    """Return the `study.json` of an earlier report in a folder; None where there is none that can be read."""
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return summary if isinstance(summary, dict) else None


def render(
    findings: Findings, sections: Iterable[Section], report_id: str, files: Iterable[str], summary_file: str
) -> str:
    """Return the page as one HTML text; `files`, with what it says as data in the last, are what it links to."""
    shown = list(sections)
    lead = _lead(shown)
    style, script = asset("report.css"), "".join(map(asset, SCRIPTS))
    embedded = {key: value for section in shown for key, value in section.embedded.items()}
    embedded["figures"] = _readouts(shown)
    return environment().get_template("page.html").render(
        study=findings.study,
        names=arm_names(findings),
        sections=shown,
        lead=lead,
        lead_target="claims" if lead is not None and lead.name == BRIEF else None,
        is_live=findings.count(State.RUNNING, State.WAITING) > 0,
        report_id=report_id,
        files=list(files),
        summary_file=summary_file,
        policy=_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        data=Markup(json_block(embedded)),
    )  # fmt: skip


def _readouts(sections: Sequence[Section]) -> dict[str, list[dict[str, Any]]]:
    """Return what the page's script can say of the points of each figure, by its name, a mapping a drawing."""
    figures = {figure.name: figure for section in sections for figure in section.figures}
    drawings = {
        name: [drawing for panel in figure.panels for drawing in panel.drawing.shown]
        for name, figure in figures.items()
    }
    return {
        name: [each.readout.as_data() for each in shown]
        for name, shown in drawings.items()
        if any(each.readout.is_told() for each in shown)
    }


def _lead(sections: Sequence[Section]) -> Figure | None:
    """Return the figure that answers the question at a glance, for the first screen; None before there is one."""
    figures = {figure.name: figure for section in sections for figure in _all_figures(section)}
    for figure in (figures[name] for name in LEADING if name in figures and len(figures[name].panels) == 1):
        panel = figure.panels[0]
        drawing = panel.drawing if panel.drawing.width <= BROADEST_LEAD else panel.drawing.shown[-1]
        if drawing.height <= TALLEST_LEAD:
            return replace(figure, panels=(replace(panel, drawing=drawing.renamed("top")),))
    return None


def _all_figures(section: Section) -> tuple[Figure, ...]:
    return (*section.figures, section.brief) if section.brief else section.figures


def json_block(value: Mapping[str, Any]) -> str:
    """Return JSON that can stand inside a script element: nothing in it ends the element or a line of JavaScript."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _policy(style: str, script: str) -> str:
    """Allow this very style sheet and script, images from data, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    return (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> Environment:
    """Return the one place where templates are read."""
    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_without_controls,
    )
    made.filters["drawing"] = _drawing
    made.filters["breakable"] = breakable
    made.filters["coded"] = _coded
    made.filters["unbroken"] = unbroken
    return made


def _without_controls(value: Any) -> Any:
    """Return what a template writes with its control characters drawn; ready markup is clean already."""
    return drawn_controls(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def breakable(name: str) -> Markup:
    """Return a name such as training.batch_size that may be broken after its dots and underscores, but no number."""
    return Markup("<wbr>").join(re.split(r"(?<=[._])(?![._]|$)(?!(?<=\d\.)\d)", drawn_controls(name)))


def unbroken(text: str) -> str:
    """Return a text whose lines do not end between a number and its spread or its unit, or within an interval."""
    joined = re.sub(r"(?<=\d) (?=%|±|points?\b|units?\b)|(?<=±) (?=\d)", _JOIN, text)
    return re.sub(r"(\[[−+]?\d+\.\d+,) (?=[−+]?\d+\.\d+\])", rf"\1{_JOIN}", joined)


def _coded(text: str) -> Markup:
    """Return a text in which what stands between backticks is code."""
    parts = [Markup.escape(drawn_controls(part)) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return Markup("`").join(parts)
    return Markup("").join(Markup("<code>{}</code>").format(each) if at % 2 else each for at, each in enumerate(parts))


def _drawing(panel: Panel, figure: Figure, at: int) -> Markup:
    """The one place where ready markup enters the page: matplotlib's own SVG, its texts escaped by `to_page`."""
    title = panel.title or figure.heading
    return Markup(panel.drawing.to_page(f"fig-{figure.name}-{at}", title, panel.description))


def asset(name: str) -> str:
    """Return the text of a style sheet or script."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _files(findings: Findings, sections: Iterable[Section]) -> Iterator[tuple[str, str | bytes]]:
    for section in sections:
        for figure in section.figures:
            yield f"figures/{figure.name}.svg", figure.to_file()
            if figure.sheets:
                yield f"figures/{figure.name}.pdf", to_pdf(figure.sheets)
        yield from section.files.items()
        for table in section.tables:
            for suffix, write in WRITERS.items():
                yield f"tables/{table.name}.{suffix}", write(table)
    yield from data_files(findings).items()


def _write(path: Path, content: str | bytes) -> None:
    """Replace the file in one step, so that a reader never sees half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", errors="replace"))
        beside.replace(path)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _remove_stale(folder: Path, files: Collection[str]) -> None:
    """Remove what the previous report here wrote and this one does not; nothing that a report did not write."""
    before = (_published(folder) or {}).get("files")
    for name in before if isinstance(before, list) else ():
        is_ours = isinstance(name, str) and re.fullmatch(r"(figures|tables)/[\w-]+\.(svg|pdf|csv|md|tex)", name)
        if is_ours and name not in files:
            (folder / name).unlink(missing_ok=True)
