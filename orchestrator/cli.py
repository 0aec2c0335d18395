"""The `orchestrate` command: every sub-command reads its words, calls one function, and prints what came of it."""

import errno
import os
import platform
import shlex
import signal
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestrator.errors import Interrupted, UserError
from orchestrator.process_list import hide_passwords
from orchestrator.study_commands import study_commands
from orchestrator.surroundings import check_imports
from orchestrator.terminal.console import make_console
from orchestrator.terminal.options import Database, Format, OutputFormat
from orchestrator.terminal.streams import tolerant_streams

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

CONTINUE = "orchestrate: interrupted; run the same command again to continue"
MISTAKE, REFUTED, INCONCLUSIVE, INTERRUPTED = 2, 3, 4, 130

_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_STOPPED = (INTERRUPTED, signal.SIGTERM)  # while Ray starts, it turns SIGTERM into an exit with the signal's number

StudyFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The study file, for instance ablation.yaml")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a setting, e.g. training.epochs=2")
]


class ReportFormat(StrEnum):
    """What a report is built as."""

    html = "html"
    md = "md"


class DiffFormat(StrEnum):
    """How differences are printed."""

    table = "table"
    markdown = "markdown"
    json = "json"


class QueryFormat(StrEnum):
    """How the rows of a query are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    markdown = "markdown"
    latex = "latex"


def main() -> None:
    """Run the command line; the user's mistakes end with one message on stderr and exit code 2."""
    if not __doc__:
        print("orchestrate: `python -OO` removes the docstrings that Ray needs; use `python` or `python -O`",
              file=sys.stderr)  # fmt: skip
        sys.exit(MISTAKE)
    hide_passwords()
    with tolerant_streams():
        code = _run()
        sys.stdout.flush()
        sys.stderr.flush()
    if code == INTERRUPTED:
        os._exit(code)  # a thread of Ray's that still runs while Python takes itself down aborts the process
    sys.exit(code)


def _run() -> int:
    """Run the command line and return its exit code."""
    _take_signals()
    try:
        check_imports()
        app(prog_name="orchestrate")
    except UserError as error:
        print(f"orchestrate: {error}", file=sys.stderr)
        return MISTAKE
    except KeyboardInterrupt:
        code = INTERRUPTED
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except OSError as error:
        if error.errno not in _DISK_FAULTS:
            raise
        where = f"{error.filename}: " if error.filename else ""
        print(f"orchestrate: {where}{error.strerror}; what was recorded stays, so mend this and run the same command "
              "again", file=sys.stderr)  # fmt: skip
        return MISTAKE
    if code in _STOPPED:
        print(CONTINUE, file=sys.stderr)
        return INTERRUPTED
    return code


def _take_signals() -> None:
    """Let every signal that asks for an end be an interrupt; what the parent lets ignore, as nohup does, stays so."""

    def interrupt(number: int, frame: object) -> None:
        raise Interrupted

    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


def _print_version(asked: bool) -> None:
    """Print the versions that a report of a fault needs, and end."""
    if asked:
        from importlib.metadata import version

        print(f"orchestrate {version('ablation-orchestrator')} (Python {platform.python_version()})")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit")
    ] = False,
) -> None:
    """Ablation studies of neural networks: one YAML file in, trained arms, statistics and a report out.

    Example: orchestrate run ablation.yaml
    """


@app.command()
def run(
    file: StudyFileArgument,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster; default: start one here")] = None,
    changes: Changes = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; default: out/<study>")] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Train and record only")] = False,
    executor: Annotated[str, typer.Option(metavar="NAME", help="ray, inline (no cluster) or replay")] = "ray",
    take_over: Annotated[bool, typer.Option("--take-over", help="Take the study from a process that is gone")] = False,
) -> None:
    """Train what is missing of a study, record it, and write its report. Safe to repeat.

    Example: orchestrate run ablation.yaml --set training.epochs=2
    """
    from orchestrator.storage.passwords import without_passwords
    from orchestrator.study import RunOptions, run_study
    from orchestrator.terminal.results import print_result
    from orchestrator.terminal.tables import show_run

    console = make_console()
    command = shlex.join(["orchestrate", *map(without_passwords, sys.argv[1:])])
    options = RunOptions(db, address, out, not no_report, executor, command, take_over)
    result = run_study(file, db, changes or (), options, show_run(console))
    print_result(console, result)
    if result.lost:
        print(f"orchestrate: {result.lost}; what is recorded stays, and the same command continues", file=sys.stderr)
    if result.unwritten:
        print(f"orchestrate: {result.unwritten}", file=sys.stderr)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
    if result.unwritten:
        raise typer.Exit(MISTAKE)
    raise typer.Exit(1 if result.failed or result.lost else 0)


@app.command()
def plan(
    file: StudyFileArgument,
    db: Database = None,
    changes: Changes = None,
    format: Format = OutputFormat.table,
) -> None:
    """Show what `run` would do, without doing it: arms, trials, cost, and what the seeds can tell.

    Example: orchestrate plan ablation.yaml --format json
    """
    from orchestrator.planning.preview import preview
    from orchestrator.results import database
    from orchestrator.study_file.config import read_study
    from orchestrator.terminal.tables import print_plan

    config = read_study(file, changes or ())
    shown = preview(config, database(db, config))
    if format is OutputFormat.json:
        print(shown.to_json())
    else:
        print_plan(make_console(), shown)


@app.command()
def freeze(
    file: StudyFileArgument,
    changes: Changes = None,
    whole: Annotated[bool, typer.Option("--whole", help="Print the plan behind the hash, as JSON")] = False,
) -> None:
    """Print the hash of the whole plan: arms, data, seeds, looks, analysis, thresholds, claims.

    Put it where a date cannot be disputed (a paper, a commit) before the first training.
    `orchestrate verify REPORT --plan HASH` says whether it is the plan before the first result.

    Example: orchestrate freeze ablation.yaml
    """
    from orchestrator.planning.plan import make_plan
    from orchestrator.records.frozen_plan import frozen, plan_digest, plan_text
    from orchestrator.study_file.config import read_study

    plan = frozen(make_plan(read_study(file, changes or ())))
    print(plan_text(plan) if whole else plan_digest(plan))


@app.command()
def status(
    study: Annotated[str | None, typer.Argument(help="One study's trials")] = None,
    db: Database = None,
    format: Format = OutputFormat.table,
) -> None:
    """List the studies of a results DB, or one study's trials by state; also while it runs.

    Example: orchestrate status degradation
    """
    from orchestrator.results import database
    from orchestrator.storage import Store
    from orchestrator.terminal.json_output import print_json
    from orchestrator.terminal.tables import print_studies, print_trials, trial_facts

    with Store.open(database(db), read_only=True) as store:
        known = store.studies()
        found = None if study is None else store.load_study(study)
    if found is None:
        print_json(known) if format is OutputFormat.json else print_studies(make_console(), known)
        return
    active = any(each.running for each in known if each.name == found.name)
    if format is OutputFormat.json:
        print_json(trial_facts(found, active))
    else:
        print_trials(make_console(), found, active)


@app.command()
def query(
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT statement")],
    db: Database = None,
    format: Annotated[QueryFormat, typer.Option(help="How to print the rows")] = QueryFormat.table,
) -> None:
    """Answer read-only SQL on the results DB; start with the views trial_results, verdict_results and curves.

    Example: orchestrate query "SELECT arm, avg(test_error) FROM trial_results GROUP BY arm" --format markdown
    """
    from orchestrator.results import database
    from orchestrator.storage import query as read
    from reports.tables import render_frame

    rows = read(database(db), sql)
    if format is QueryFormat.json and (twice := rows.columns[rows.columns.duplicated()].tolist()):
        raise UserError(f'two columns are called "{twice[0]}", of which JSON can hold one: name one of them by AS')
    print(render_frame(rows, format.value))


@app.command()
def report(
    study: Annotated[str, typer.Argument(help="The study's name")],
    db: Database = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; default: out/<study>")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 3 for a refuted claim, 4 for an inconclusive one")
    ] = False,
    format: Annotated[
        ReportFormat, typer.Option(help="html: the page; md: a few lines on stdout, for a pull request")
    ] = ReportFormat.html,
) -> None:
    """Build the report of a study from the results DB again; also while the study runs.

    Example: orchestrate report degradation --strict
    """
    from orchestrator.results import database, output_folder
    from orchestrator.scheduling.judgement import judge_study
    from orchestrator.storage import Store
    from orchestrator.terminal.results import print_verdicts
    from reports.analysis.judged import Outcome
    from reports.digest import markdown_digest
    from reports.findings import find
    from reports.page import write_report
    from reports.privacy import without_private_facts

    with Store.open(database(db), read_only=True) as store:
        results = store.load_study(study)
        verdicts = judge_study(results)
    if format is ReportFormat.md:
        print(markdown_digest(find(without_private_facts(results), verdicts)), end="")
    else:
        print_verdicts(make_console(), results, verdicts)
        print(write_report(results, output_folder(study, out), verdicts))
    found = {verdict.verdict for verdict in verdicts}
    if strict and Outcome.REFUTED in found:
        raise typer.Exit(REFUTED)
    if strict and Outcome.INCONCLUSIVE in found:
        raise typer.Exit(INCONCLUSIVE)


@app.command()
def probe(
    study: Annotated[str, typer.Argument(help="The study's name")],
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
    from orchestrator.probing import probe_study
    from orchestrator.terminal.console import make_console, say

    console = make_console()
    found = probe_study(
        study, db, kinds or (), address=address, out=out, executor=executor, say=lambda line: say(console, line)
    )
    if found.interrupted:
        raise typer.Exit(INTERRUPTED)
    if found.made:
        say(console, f"{found.made} measurements; `orchestrate report {study}` shows them")
    raise typer.Exit(1 if found.failed else 0)


@app.command()
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
    from orchestrator.reading import verified

    found = verified(report, db, plan)
    for line in (*(found.plan.lines if found.plan else ()), *found.differences):
        print(line)
    if not found.differences:
        print("The report is what the results give.")
    if not found.holds:
        raise typer.Exit(1)


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="STUDY_A", help="A study, or the folder of a report")],
    second: Annotated[str, typer.Argument(metavar="STUDY_B", help="What it is compared with")],
    db: Database = None,
    format: Annotated[DiffFormat, typer.Option(help="How to print it")] = DiffFormat.table,
) -> None:
    """Say what differs between two studies: settings, results with intervals, verdicts; exit 1 when a verdict moved.

    Example: orchestrate diff degradation degradation-2 --format markdown
    """
    from orchestrator.reading import summary
    from reports.diff import compare, diff_text

    found = compare(summary(first, db), summary(second, db))
    print(diff_text(found, (first, second), format.value), end="")
    if found.has_moved():
        raise typer.Exit(1)


@app.command()
def publish(
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder of the site")],
    studies: Annotated[list[str] | None, typer.Argument(metavar="[STUDY]...", help="Which; default: all")] = None,
    db: Database = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be written, and write nothing")] = False,
) -> None:
    """Write a static site of the studies, with an index; versions stay, and publishing twice changes nothing.

    Example: orchestrate publish --to site
    """
    from orchestrator.reading import publication
    from reports.site import write_publication

    files = publication(to, studies or [], db)
    if not dry_run:
        write_publication(to, files)
    for path, data in sorted(files.items()) if dry_run else ():
        print(f"{len(data):>10,}  {path}")
    size = sum(map(len, files.values()))
    print(f"{len(files):,} files, {size:,} bytes {'would be written' if dry_run else 'written'} to {to}")


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="The folder of reports")] = Path("out"),
    port: Annotated[int, typer.Option(help="0 takes a free one", min=0, max=65535)] = 8000,
) -> None:
    """Show the reports of a folder on this machine alone, an index first; pages of running studies reload.

    Example: orchestrate serve out
    """
    from orchestrator.serving import make_server

    with make_server(folder, port) as server:
        print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        with suppress(KeyboardInterrupt):
            server.serve_forever()


@app.command()
def describe(
    file: StudyFileArgument,
    changes: Changes = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="DIR", help="Also write the units' diagrams to DIR/units.svg")
    ] = None,
    format: Format = OutputFormat.table,
) -> None:
    """Show the networks of a study in words: wiring, shapes, parameters, FLOPs; and every default of its file.

    Example: orchestrate describe ablation.yaml --svg figures
    """
    from orchestrator.planning.description import describe_study, print_description, write_units
    from orchestrator.study_file.config import read_study
    from orchestrator.terminal.json_output import print_json

    config = read_study(file, changes or ())
    if format is OutputFormat.table:
        print_description(make_console(), config, svg)
        return
    arms, settings = describe_study(config)
    if svg is not None:
        write_units(arms, svg)
    print_json({"study": config.file.study, "arms": [each.facts() for each in arms], "settings": settings})


@app.command()
def presets(
    name: Annotated[str | None, typer.Argument(help="One study, printed as YAML")] = None,
    format: Format = OutputFormat.table,
) -> None:
    """List the ready studies, or print one as YAML, to be run as it is or changed first.

    Example: orchestrate presets degradation-digits > degradation.yaml
    """
    from orchestrator.presets import preset_names, preset_text, read_preset
    from orchestrator.terminal.json_output import print_json
    from orchestrator.terminal.tables import print_presets

    if name is not None:
        sys.stdout.write(preset_text(name))
        return
    known = [read_preset(each) for each in preset_names()]
    print_json(known) if format is OutputFormat.json else print_presets(make_console(), known)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the study file, for editors and other programs.

    Example: orchestrate schema > study.schema.json
    """
    import json

    from orchestrator.study_file.schema import study_schema

    print(json.dumps(study_schema(), indent=2, ensure_ascii=False))


@app.command()
def doctor(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Also check what this study needs")] = None,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster to check")] = None,
    format: Format = OutputFormat.table,
) -> None:
    """Check the surroundings (versions, devices, Ray, results DB, data, disk) and say what to do about each fault.

    Example: orchestrate doctor ablation.yaml
    """
    from orchestrator.doctor import examine
    from orchestrator.terminal.json_output import print_json
    from orchestrator.terminal.tables import print_findings

    findings = examine(file, db, address)
    print_json(findings) if format is OutputFormat.json else print_findings(make_console(), findings)
    raise typer.Exit(2 if any(not each.fine for each in findings) else 0)


app.add_typer(study_commands)
