"""No password of a command stands in the list of processes."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.surroundings.process_list import take_out_passwords

ROOT = str(Path(__file__).parents[2])


def test_only_the_password_is_taken_out():
    words = ["python", "-m", "orchestrator", "run", "a=b", "--db", "postgresql://me:p@ss@host:5/x?sslmode=require"]
    kept, passwords = take_out_passwords(words)
    assert kept == [*words[:-1], "postgresql+psycopg://me@host:5/x?sslmode=require"]
    assert passwords == {"p@ss"}
    assert take_out_passwords(["--db=postgres://me:pw@host/x"]) == (["--db=postgresql+psycopg://me@host/x"], {"pw"})
    assert take_out_passwords(["postgresql://me@host/x", "postgresql:nonsense", "x.db"])[1] == set()


@pytest.mark.parametrize("option", [["--db", "URL"], ["--db=URL"]])
def test_a_running_command_does_not_show_its_password_and_uses_it(option):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql://me:se@cret@127.0.0.1:{server.getsockname()[1]}/x"
        words = [each.replace("URL", url) for each in option]
        command = [sys.executable, "-m", "orchestrator", "status", *words]
        with subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ROOT}) as process:
            server.settimeout(60)
            client, _ = server.accept()  # it is at the database by now
            shown = Path(f"/proc/{process.pid}/cmdline").read_bytes()
            client.recv(8)
            client.send(b"N")  # no encryption
            client.recv(1000)
            client.send(b"R\0\0\0\x08\0\0\0\x03")  # the password, please
            sent = b""
            until = time.monotonic() + 20
            while b"\0" not in sent[5:] and time.monotonic() < until:
                sent += client.recv(1000)
            client.close()
            process.kill()
            process.communicate()
    assert b"orchestrator" in shown
    assert b"cret" not in shown
    assert sent[5:] == b"se@cret\0"
