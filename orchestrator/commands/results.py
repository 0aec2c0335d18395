"""The commands that show, measure and publish what is on record."""

import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.commands.exit_codes import FAILED, INCONCLUSIVE, INTERRUPTED, REFUTED
from orchestrator.errors import UserError
from orchestrator.terminal.console import make_console
from orchestrator.terminal.options import Database, Format, OutputFormat, choice

if TYPE_CHECKING:
    from rich.console import Console

result_commands = typer.Typer(rich_markup_mode=None)


class ReportFormat(StrEnum):
    """What a report is built as."""

    html = "html"
    markdown = "markdown"


class DiffFormat(StrEnum):
    """How differences are printed."""

    table = "table"
    markdown = "markdown"
    html = "html"
    json = "json"


class QueryFormat(StrEnum):
    """How the rows of a query are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"
    latex = "latex"


@result_commands.command()
def status(
    study: Annotated[str | None, typer.Argument(metavar="STUDY", help="One study's trials")] = None,
    db: Database = None,
    format: Format = OutputFormat.table,
    watch: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.5, help="Show it again so often, until Ctrl-C or until nothing runs"),
    ] = None,
) -> None:
    """List the studies of a results DB, or one study's trials by state; also while it runs.

    Example: orchestrate status degradation --watch 5
    """
    console = make_console()
    while _show_status(console, study, db, format) and watch is not None:
        time.sleep(watch)
        if console.is_terminal:
            console.clear()


def _show_status(console: "Console", study: str | None, db: str | None, format: OutputFormat) -> bool:
    """Show the studies, or the trials of one, and return whether any of what is shown is running."""
    from orchestrator.results.location import database
    from orchestrator.storage import Store
    from orchestrator.terminal.json_output import print_json
    from orchestrator.terminal.tables import print_studies, print_trials, trial_facts

    with Store.open(database(db), read_only=True) as store:
        known = store.studies()
        stored = None if study is None else store.load_study(study, curves=False)
    active = any(each.running for each in known if stored is None or each.name == stored.name)
    if stored is None:
        print_json(known) if format is OutputFormat.json else print_studies(console, known)
    elif format is OutputFormat.json:
        print_json(trial_facts(stored, active))
    else:
        print_trials(console, stored, active)
    return active


@result_commands.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT statement")],
    db: Database = None,
    format: Annotated[QueryFormat, choice(QueryFormat, "How to print the rows")] = QueryFormat.table,
) -> None:
    """Answer read-only SQL on the results DB; start with the views trial_results, verdict_results and curves.

    Example: orchestrate query "SELECT arm, avg(test_error) FROM trial_results GROUP BY arm" --format markdown
    """
    from orchestrator.results.location import database
    from orchestrator.storage import query as read
    from reports.tables import render_frame

    rows = read(database(db), sql)
    if format is QueryFormat.json and (twice := rows.columns[rows.columns.duplicated()].tolist()):
        raise UserError(f'two columns are called "{twice[0]}", of which JSON can hold one: name one of them by AS')
    print(render_frame(rows, format.value))


@result_commands.command()
def report(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="The study's name")],
    db: Database = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; default: out/<study>")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 for a refuted claim, 4 for an inconclusive one")
    ] = False,
    format: Annotated[
        ReportFormat, choice(ReportFormat, "html: the page; markdown: a few lines on stdout, for a pull request")
    ] = ReportFormat.html,
) -> None:
    """Build the report of a study from the results DB again; also while the study runs.

    Example: orchestrate report degradation --strict
    """
    from orchestrator.results.location import database, output_folder
    from orchestrator.storage import Store
    from orchestrator.terminal.results import print_verdicts
    from reports.analysis.judged import Conclusion
    from reports.analysis.verdicts import judge_study
    from reports.digest import markdown_digest
    from reports.findings import find
    from reports.page import write_report
    from reports.privacy import without_private_facts

    with Store.open(database(db), read_only=True) as store:
        results = store.load_study(study)
        verdicts = judge_study(results)
    if format is ReportFormat.markdown:
        print(markdown_digest(find(without_private_facts(results), verdicts)), end="")
    else:
        print_verdicts(make_console(), results, verdicts)
        print(write_report(results, output_folder(study, out), verdicts))
    outcomes = {verdict.verdict for verdict in verdicts}
    if strict and Conclusion.REFUTED in outcomes:
        raise typer.Exit(REFUTED)
    if strict and Conclusion.INCONCLUSIVE in outcomes:
        raise typer.Exit(INCONCLUSIVE)


@result_commands.command()
def probe(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="The study's name")],
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="PROBE", help="A probe, e.g. lesion; default: the file's")
    ] = None,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster; default: start one here")] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="The study's folder; default: out/<study>")] = None,
    executor: Annotated[str, typer.Option(metavar="NAME", help="ray or inline (no cluster)")] = "ray",
) -> None:
    """Measure the trained networks of a study from their kept weights; what is measured already stays.

    Example: orchestrate probe degradation --kind lesion --kind layer_response
    """
    from orchestrator.running.probe_study import probe_study
    from orchestrator.terminal.console import make_console, say
    from reports.wording import counted

    console = make_console()
    probed = probe_study(
        study, db, kinds or (), address=address, out=out, executor=executor, say=lambda line: say(console, line)
    )
    if probed.interrupted:
        raise typer.Exit(INTERRUPTED)
    if probed.made:
        say(console, f"{counted(probed.made, 'measurement')}; `orchestrate report {study}` shows them")
    raise typer.Exit(FAILED if probed.failed else 0)


@result_commands.command()
def verify(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A published report: its folder or its index.html")],
    db: Database = None,
    plan: Annotated[
        str | None, typer.Option("--plan", metavar="HASH", help="A pre-registered hash, as `freeze` prints it")
    ] = None,
) -> None:
    """Compute a published report from the results DB again and say what differs; exit 1 when something does.

    The hash of every version of the plan is computed again too. With --plan, the pre-registered one must be that of
    the plan before the first result, and no other plan may have followed.

    Example: orchestrate verify out/degradation --db results.db
    """
    from orchestrator.results.reading import verified

    checked = verified(report, db, plan)
    for line in (*(checked.plan.lines if checked.plan else ()), *checked.differences):
        print(line)
    if not checked.differences:
        print("The report is what the results give.")
    if not checked.holds:
        raise typer.Exit(1)


@result_commands.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="STUDY_A", help="A study, or the folder of a report")],
    second: Annotated[str, typer.Argument(metavar="STUDY_B", help="What it is compared with")],
    db: Database = None,
    format: Annotated[DiffFormat, choice(DiffFormat, "How to print it")] = DiffFormat.table,
) -> None:
    """Say what differs between two studies: settings, results with intervals, verdicts; exit 1 when a verdict moved.

    Either side may be the folder of a report, also of one that was published; --format html prints a page.

    Example: orchestrate diff degradation degradation-2 --format html > diff.html
    """
    from orchestrator.results.reading import summary
    from reports.diff import compare
    from reports.diff_formats import diff_text

    differences = compare(summary(first, db), summary(second, db))
    print(diff_text(differences, (first, second), format.value), end="")
    if differences.has_moved():
        raise typer.Exit(1)


@result_commands.command()
def publish(
    to: Annotated[
        str, typer.Option("--to", metavar="DIR", help="The folder of the site, or a URL such as s3://bucket/site")
    ],
    studies: Annotated[list[str] | None, typer.Argument(metavar="[STUDY]...", help="Which; default: all")] = None,
    db: Database = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing")] = False,
) -> None:
    """Write a static site of the studies, with an index; versions stay, and publishing twice changes nothing.

    Example: orchestrate publish --to site
    """
    from orchestrator.results.publishing import publish_studies
    from reports.wording import counted

    publication = publish_studies(to, studies or [], db, dry_run=dry_run)
    for path, data in sorted(publication.files.items()) if dry_run else ():
        print(f"{len(data):>10,}  {path}")
    for path in sorted(publication.removed) if dry_run else ():
        print(f"{'removed':>10}  {path}")
    for study, version in publication.newer.items():
        print(f"{study}: latest/ stays at report {version}, which has a newer result than this DB")
    would = "would be " if dry_run else ""
    gone = f", {len(publication.removed)} {would}removed" if publication.removed else ""
    size = sum(map(len, publication.files.values()))
    print(f"{counted(len(publication.files), 'file')}, {counted(size, 'byte')} {would}written to {to}{gone}")


@result_commands.command()
def serve(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of reports")] = Path("out"),
    port: Annotated[int, typer.Option(help="0 takes a free one", min=0, max=65535)] = 8000,
) -> None:
    """Show the reports of a folder on this machine alone, an index first; pages of running studies reload.

    Example: orchestrate serve out
    """
    from orchestrator.results.serving import make_server

    with make_server(folder, port) as server:
        print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
