"""The `orchestrate` command: every sub-command reads its words, calls one function, and prints what came of it."""

import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator.errors import UserError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    help="Ablation studies of neural networks: one YAML file in, trained arms, statistics and a report out.\n\n"
    "Example: orchestrate run ablation.yaml",
)

CONTINUE = "orchestrate: interrupted; run the same command again to continue"
REFUTED, INCONCLUSIVE, INTERRUPTED = 3, 4, 130

StudyFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The study file, for instance ablation.yaml")]
Database = Annotated[
    str | None, typer.Option("--db", metavar="URL", help="The results DB: a file, or an SQLAlchemy URL")
]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a setting, e.g. training.epochs=2")
]


class PlanFormat(StrEnum):
    """How a plan is printed."""

    table = "table"
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
    try:
        app(prog_name="orchestrate")
    except UserError as error:
        print(f"orchestrate: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print(CONTINUE, file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


@app.command()
def run(
    file: StudyFileArgument,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster; default: start one here")] = None,
    changes: Changes = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; default: out/<study>")] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Train and record only")] = False,
    executor: Annotated[str, typer.Option(metavar="NAME", help="ray, inline (no cluster) or replay")] = "ray",
) -> None:
    """Train what is missing of a study, record it, and write its report. Safe to repeat.

    Example: orchestrate run ablation.yaml --set training.epochs=2
    """
    from orchestrator.study import RunOptions, run_study
    from orchestrator.terminal.results import print_result
    from orchestrator.terminal.tables import show_run

    console = Console()
    command = shlex.join(["orchestrate", *sys.argv[1:]])
    options = RunOptions(db, address, out, not no_report, executor, command)
    result = run_study(file, db, changes or (), options, show_run(console))
    print_result(console, result)
    if result.interrupted:
        print(CONTINUE, file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(1 if result.failed else 0)


@app.command()
def plan(
    file: StudyFileArgument,
    db: Database = None,
    changes: Changes = None,
    format: Annotated[PlanFormat, typer.Option(help="How to print it")] = PlanFormat.table,
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
    if format is PlanFormat.json:
        print(shown.to_json())
    else:
        print_plan(Console(), shown)


@app.command()
def status(study: Annotated[str | None, typer.Argument(help="One study's trials")] = None, db: Database = None) -> None:
    """List the studies of a results DB, or one study's trials by state; also while it runs.

    Example: orchestrate status degradation
    """
    from orchestrator.results import database
    from orchestrator.storage import Store
    from orchestrator.terminal.tables import print_studies, print_trials

    with Store.open(database(db), read_only=True) as store:
        if study is None:
            print_studies(Console(), store.studies())
        else:
            found = store.load_study(study)
            print_trials(Console(), found, any(each.running for each in store.studies() if each.name == found.name))


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
) -> None:
    """Build the report of a study from the results DB again; also while the study runs.

    Example: orchestrate report degradation --strict
    """
    from orchestrator.results import database, output_folder
    from orchestrator.scheduling.judgement import judge_study
    from orchestrator.storage import Store
    from orchestrator.terminal.results import print_verdicts
    from reports.analysis.judged import Outcome
    from reports.page import write_report

    with Store.open(database(db), read_only=True) as store:
        results = store.load_study(study)
        verdicts = judge_study(store, results)
    print_verdicts(Console(), results, verdicts)
    print(write_report(results, output_folder(study, out), verdicts))
    found = {verdict.verdict for verdict in verdicts}
    if strict and Outcome.REFUTED in found:
        raise typer.Exit(REFUTED)
    if strict and Outcome.INCONCLUSIVE in found:
        raise typer.Exit(INCONCLUSIVE)


@app.command()
def describe(
    file: StudyFileArgument,
    changes: Changes = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="DIR", help="Also write the units' diagrams to DIR/units.svg")
    ] = None,
) -> None:
    """Show the networks of a study in words: wiring, shapes, parameters, FLOPs; and every default of its file.

    Example: orchestrate describe ablation.yaml --svg figures
    """
    from orchestrator.planning.description import print_description
    from orchestrator.study_file.config import read_study

    print_description(Console(), read_study(file, changes or ()), svg)


@app.command()
def presets(name: Annotated[str | None, typer.Argument(help="One study, printed as YAML")] = None) -> None:
    """List the ready studies, or print one as YAML, to be run as it is or changed first.

    Example: orchestrate presets degradation-digits > degradation.yaml
    """
    from orchestrator.presets import preset_names, preset_text, read_preset
    from orchestrator.terminal.tables import print_presets

    if name is None:
        print_presets(Console(), [read_preset(each) for each in preset_names()])
    else:
        sys.stdout.write(preset_text(name))


@app.command()
def doctor(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Also check what this study needs")] = None,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster to check")] = None,
) -> None:
    """Check the surroundings (versions, devices, Ray, results DB, data, disk) and say what to do about each fault.

    Example: orchestrate doctor ablation.yaml
    """
    from orchestrator.doctor import examine
    from orchestrator.terminal.tables import print_findings

    findings = examine(file, db, address)
    print_findings(Console(), findings)
    raise typer.Exit(2 if any(not each.fine for each in findings) else 0)
