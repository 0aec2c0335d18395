"""The `orchestrate` command: signals, streams and exit codes; what each sub-command does stands in `commands/`."""

import errno
import gc
import os
import platform
import signal
import sys
from typing import Annotated

import typer

from orchestrator.commands.exit_codes import INTERRUPTED, MISTAKE
from orchestrator.commands.results import result_commands
from orchestrator.commands.stored_studies import stored_study_commands
from orchestrator.commands.study_files import study_file_commands
from orchestrator.errors import Interrupted, UserError
from orchestrator.surroundings.packages import check_imports
from orchestrator.surroundings.process_list import hide_passwords
from orchestrator.terminal.streams import tolerant_streams

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)

CONTINUE = "orchestrate: interrupted; run the same command again to continue"

_DISK_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO)
_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_STOPPED = (INTERRUPTED, signal.SIGTERM)  # while Ray starts, it turns SIGTERM into an exit with the signal's number


def main() -> None:
    """Run the command line; the user's mistakes end with one message on stderr and exit code 2."""
    if not __doc__:
        print("orchestrate: `python -OO` removes the docstrings that Ray needs; use `python` or `python -O`",
              file=sys.stderr)  # fmt: skip
        sys.exit(MISTAKE)
    gc.set_threshold(50_000, 20, 20)  # Python looks at objects less often: ten thousand trials are many of them
    hide_passwords()
    with tolerant_streams():
        code = _run()
        sys.stdout.flush()
        sys.stderr.flush()
    if "ray" in sys.modules:
        # Nothing is left to do, and at Python's end a thread of Ray's may abort the process, or a hook of Ray's print
        # a traceback or wait for a cluster that is gone.
        os._exit(code)
    sys.exit(code)


def _run() -> int:
    """Run the command line and return its exit code."""
    _take_signals()
    try:
        check_imports()
        _run_command()
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


def _run_command() -> None:
    """Run the command; a probe of the user's own that is wrong is found while modules are read."""
    from search_spaces.errors import SettingError  # not above: what hides the package is looked for first

    try:
        app(prog_name="orchestrate")
    except SettingError as error:
        raise UserError(str(error)) from error


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
        from orchestrator.version import VERSION

        print(f"orchestrate {VERSION} (Python {platform.python_version()})")
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


for commands in (study_file_commands, result_commands, stored_study_commands):
    app.add_typer(commands)
