"""Output that cannot be written is lost, and nothing else is."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.terminal.streams import TolerantStream

PRINTS = """
import sys
from orchestrator.terminal.streams import tolerant_streams
with tolerant_streams():
    for number in range(20_000):
        print(f"line {number}: ± × │")
    print("done", file=sys.stderr)
    sys.exit(3)
"""


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    root = str(Path(__file__).parents[3])
    known = {**os.environ, "PYTHONPATH": root, "PYTHON": sys.executable, "PRINTS": PRINTS, **environment}
    return subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, env=known)


@pytest.mark.parametrize(
    ("command", "lost"),
    [
        ('"$PYTHON" -c "$PRINTS" > /dev/full', True),
        ('"$PYTHON" -u -c "$PRINTS" > /dev/full', True),
        ('"$PYTHON" -c "$PRINTS" | head -1; exit ${PIPESTATUS[0]}', False),
        ('"$PYTHON" -c "$PRINTS" >&-', False),
        ('"$PYTHON" -c "$PRINTS"', False),
    ],
)
def test_the_exit_code_does_not_depend_on_who_reads(command, lost):
    done = shell(command)
    assert done.returncode == 3
    assert b"done" in done.stderr
    assert b"Traceback" not in done.stderr
    assert (b"No space left on device" in done.stderr) is lost


def test_an_error_output_that_is_full_or_closed_ends_nothing():
    for where in ("2> /dev/full", "2>&-", "> /dev/full 2>&1", "> /dev/null"):
        assert shell(f'"$PYTHON" -c "$PRINTS" {where}').returncode == 3


def test_characters_that_the_encoding_lacks_become_question_marks():
    done = shell('"$PYTHON" -c "$PRINTS" | tail -1', PYTHONIOENCODING="ascii")
    assert done.stdout == b"line 19999: ? ? ?\n"


def test_half_a_character_is_printed_as_a_question_mark():
    below = io.TextIOWrapper(io.BytesIO(), "utf-8")
    stream = TolerantStream(below)
    stream.write("a\udce4b")
    stream.flush()
    assert below.buffer.getvalue() == b"a?b"
    stream.detach()
