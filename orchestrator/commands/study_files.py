"""The commands that are about study files: run, plan, freeze, describe, presets, schema, doctor."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.commands.exit_codes import FAILED, INTERRUPTED, MISTAKE
from orchestrator.home import expanded
from orchestrator.terminal.console import make_console
from orchestrator.terminal.options import Database, Format, OutputFormat, choice

if TYPE_CHECKING:
    from orchestrator.running.job import RunOptions

study_file_commands = typer.Typer(rich_markup_mode=None)


class LogFormat(StrEnum):
    """How a run tells what happens."""

    text = "text"
    json = "json"


StudyFileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The study file, for instance ablation.yaml, or a ready study")
]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a setting, e.g. training.epochs=2")
]


@study_file_commands.command()
def run(
    file: StudyFileArgument,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster; default: start one here")] = None,
    changes: Changes = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the report goes; default: out/<study>")] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Train and record only")] = False,
    executor: Annotated[str, typer.Option(metavar="NAME", help="ray, inline (no cluster) or replay")] = "ray",
    take_over: Annotated[bool, typer.Option("--take-over", help="Take the study from a process that is gone")] = False,
    notify: Annotated[
        str | None,
        typer.Option(
            envvar="ORCHESTRATE_NOTIFY",
            metavar="URL|COMMAND",
            help="Tell it of failed trials, of verdicts and of the end: a POST of JSON, or JSON on its input",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat, choice(LogFormat, "How the run is told on stdout; json: a line an event, for programs")
    ] = LogFormat.text,
) -> None:
    """Train what is missing of a study, record it, and write its report. Safe to repeat.

    FILE may also be the name of a ready study or of a group of them, which are run one after the other; the plans of a
    group are all recorded before its first training.

    Example: orchestrate run ablation.yaml --set training.epochs=2
    """
    from orchestrator.presets import study_paths
    from orchestrator.running.job import RunOptions
    from orchestrator.study import record_plans

    files, code = study_paths(file), 0
    options = RunOptions(db, address, out, not no_report, executor, _command(notify), take_over, notify)
    if len(files) > 1 and executor != "replay":
        record_plans(files, changes or (), options)
    for each in files:
        own = replace(options, out=out / each.stem) if out is not None and len(files) > 1 else options
        code = _run_one(each, own, changes or (), log_format is LogFormat.json) or code
        if code == INTERRUPTED:
            break
    raise typer.Exit(code)


def _run_one(file: Path, options: "RunOptions", changes: Sequence[str], as_json: bool) -> int:
    """Run one study and say how it ended; return the exit code."""
    from orchestrator.study import run_study
    from orchestrator.terminal.event_lines import log_result, log_run
    from orchestrator.terminal.results import print_result
    from orchestrator.terminal.tables import show_run

    console = make_console()
    show = log_run(_write_line) if as_json else show_run(console)
    result = run_study(file, None, changes, options, show)
    log_result(_write_line, result) if as_json else print_result(console, result)
    if result.untold:
        print(f"orchestrate: --notify: the last message may not have arrived: {result.untold}", file=sys.stderr)
    if result.lost:
        print(f"orchestrate: {result.lost}; what is recorded stays, and the same command continues", file=sys.stderr)
    if result.unwritten:
        print(f"orchestrate: {result.unwritten}", file=sys.stderr)
    if result.interrupted:
        return INTERRUPTED
    if result.unwritten:
        return MISTAKE
    return FAILED if result.failed or result.lost else 0


def _write_line(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _command(notify: str | None) -> str:
    """Return the command as the report shows it: without passwords, and without the address that is notified."""
    from orchestrator.passwords import without_passwords

    words = [without_passwords(each) for each in sys.argv[1:]]
    if notify is not None:
        words = [each.replace(notify, "...") for each in words]
    return shlex.join(["orchestrate", *words])


@study_file_commands.command()
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
    from orchestrator.presets import study_paths
    from orchestrator.results.location import database
    from orchestrator.study_file.config import read_study
    from orchestrator.terminal.tables import print_plan

    for each in study_paths(file):
        config = read_study(each, changes or ())
        shown = preview(config, database(db, config))
        if format is OutputFormat.json:
            print(shown.to_json())
        else:
            print_plan(make_console(), shown)


@study_file_commands.command()
def freeze(
    file: StudyFileArgument,
    changes: Changes = None,
    whole: Annotated[bool, typer.Option("--whole", help="Print the plan behind the hash, as JSON")] = False,
) -> None:
    """Print the hash of the whole plan: arms, data, seeds, looks, analysis, thresholds, claims.

    Put it where a date cannot be disputed (a paper, a commit) before the first training.
    `orchestrate verify REPORT --plan HASH` says whether it is the plan before the first result.
    Of a group of ready studies each has its line, with its name.

    Example: orchestrate freeze ablation.yaml
    """
    from orchestrator.planning.plan import make_plan
    from orchestrator.presets import study_paths
    from orchestrator.records.frozen_plan import frozen, plan_digest, plan_text
    from orchestrator.study_file.config import read_study

    paths = study_paths(file)
    for path in paths:
        config = read_study(path, changes or ())
        plan = frozen(make_plan(config))
        name = f"  {config.file.study}" if len(paths) > 1 else ""
        print(plan_text(plan) if whole else f"{plan_digest(plan)}{name}")


@study_file_commands.command()
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
    from orchestrator.presets import study_paths

    paths, svg = study_paths(file), None if svg is None else expanded(svg)
    for path in paths:
        _describe(path, changes or (), svg / path.stem if svg is not None and len(paths) > 1 else svg, format)


def _describe(file: Path, changes: Sequence[str], svg: Path | None, format: OutputFormat) -> None:
    from orchestrator.planning.description import describe_study, print_description, write_units
    from orchestrator.study_file.config import read_study
    from orchestrator.terminal.json_output import print_json

    config = read_study(file, changes)
    if format is OutputFormat.table:
        print_description(make_console(), config, svg)
        return
    arms, settings = describe_study(config)
    if svg is not None:
        write_units(arms, svg)
    print_json({"study": config.file.study, "arms": [each.facts() for each in arms], "settings": settings})


@study_file_commands.command()
def presets(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One study, printed as YAML")] = None,
    format: Format = OutputFormat.table,
) -> None:
    """List the ready studies, or print one as YAML, to be run as it is or changed first.

    Example: orchestrate presets degradation-digits > degradation.yaml
    """
    import yaml

    from orchestrator.presets import preset_names, preset_text, read_preset
    from orchestrator.terminal.json_output import print_json
    from orchestrator.terminal.tables import print_presets

    if name is not None:
        if format is OutputFormat.json:
            print_json(yaml.safe_load(preset_text(name)))
        else:
            sys.stdout.write(preset_text(name))
        return
    known = [read_preset(each) for each in preset_names()]
    print_json(known) if format is OutputFormat.json else print_presets(make_console(), known)


@study_file_commands.command()
def schema() -> None:
    """Print the JSON Schema of the study file, for editors and other programs.

    Example: orchestrate schema > study.schema.json
    """
    import json

    from orchestrator.study_file.schema import study_schema

    print(json.dumps(study_schema(), indent=2, ensure_ascii=False))


@study_file_commands.command()
def doctor(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="Also check what this study needs")] = None,
    db: Database = None,
    address: Annotated[str | None, typer.Option(metavar="ADDR", help="A Ray cluster to check")] = None,
    format: Format = OutputFormat.table,
) -> None:
    """Check the surroundings (versions, devices, Ray, results DB, data, disk) and say what to do about each fault.

    Example: orchestrate doctor ablation.yaml
    """
    from orchestrator.commands.doctor import examine
    from orchestrator.terminal.findings import print_findings
    from orchestrator.terminal.json_output import print_json

    findings = examine(file, db, address)
    print_json(findings) if format is OutputFormat.json else print_findings(make_console(), findings)
    raise typer.Exit(MISTAKE if any(not each.fine for each in findings) else 0)
