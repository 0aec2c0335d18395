"""Checkpoints and reports in S3: a server that speaks its protocol, on this machine."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator import RunOptions, run_study
from orchestrator.storage import Store
from tests.faults.held import hold, let_go
from tests.faults.test_killed import INLINE, ROOT, start, wait_for
from tests.integration.test_cluster import numbers

pytestmark = [pytest.mark.fault, pytest.mark.slow]
BUCKET = "bucket"
CHECKPOINTS = f"s3://{BUCKET}/checkpoints"


class Storage:
    """The server, and what is in its bucket."""

    def __init__(self, url: str, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self.process = process

    def keys(self, ending: str = "") -> list[str]:
        """Return the names of the objects that end so."""
        with urllib.request.urlopen(f"{self.url}/{BUCKET}?list-type=2", timeout=10) as answer:
            return [key for key in re.findall(r"<Key>([^<]*)</Key>", answer.read().decode()) if key.endswith(ending)]


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    """Start a server with an empty bucket, to which s3fs goes in every process of the test."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 60
        while not _made(url):
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.2)
        known = {
            "ENDPOINT_URL": url,
            "ACCESS_KEY_ID": "test",
            "SECRET_ACCESS_KEY": "test",
            "DEFAULT_REGION": "us-east-1",
        }
        for name, value in known.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield Storage(url, process)
    finally:
        process.kill()
        process.wait()


def _made(url: str) -> bool:
    try:
        with urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT"), timeout=5):
            return True
    except OSError:
        return False


def resumed() -> list[int]:
    """Return the epochs after which attempts went on from checkpoints, as the results DB has them."""
    with closing(sqlite3.connect("results.db")) as db:
        rows = db.execute("SELECT details FROM events WHERE kind = 'Resumed'").fetchall()
    return [json.loads(details)["epoch"] for (details,) in rows]


@pytest.mark.cluster
@pytest.mark.timeout(400)
def test_another_machine_goes_on_from_s3_where_a_killed_one_stopped(small: Path, s3: Storage) -> None:
    hold(small, checkpoints=CHECKPOINTS)
    process = start(small)
    wait_for(process, lambda: bool(s3.keys(".pt")), 150)
    process.kill()
    process.communicate()
    shutil.rmtree("out")  # what another machine does not have
    let_go(small)
    last = start(small, *INLINE)
    _, errors = last.communicate(timeout=150)
    assert last.returncode == 0, errors
    assert min(resumed()) >= 1
    assert s3.keys(".pt") == []
    alone = RunOptions(db="sqlite:///alone.db", executor="inline", report=False)
    undisturbed = run_study(small, options=alone, show=False)
    with Store.open("sqlite:///results.db", read_only=True) as store:
        assert numbers(store.load_study("small")) == numbers(undisturbed.study)


@pytest.mark.timeout(300)
def test_a_study_ends_without_an_s3_that_went_away_and_says_so_once(small: Path, s3: Storage) -> None:
    hold(small, checkpoints=CHECKPOINTS)
    process = start(small, *INLINE)
    wait_for(process, lambda: bool(s3.keys(".pt")))
    s3.process.kill()
    let_go(small)
    output, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert "4 complete" in output
    assert output.count(CHECKPOINTS) + errors.count(CHECKPOINTS) <= 2, output + errors
    assert CHECKPOINTS in output + errors
    assert "Traceback" not in output + errors


def test_a_site_in_s3_is_written_once(small: Path, s3: Storage) -> None:
    run_study(small, options=RunOptions(executor="inline", report=False), show=False)

    def publish(*words: str) -> str:
        command = [sys.executable, "-c", "from orchestrator.cli import main; main()", "publish", *words]
        environment = {**os.environ, "PYTHONPATH": ROOT}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100)
        assert done.returncode == 0, done.stderr
        return done.stdout

    site = f"s3://{BUCKET}/site"
    publish("--to", site, "--dry-run")
    assert s3.keys() == []
    first = publish("--to", site)
    written = s3.keys()
    assert f"{len(written)} files" in first
    assert {"site/index.html", "site/studies/small/latest/index.html"} <= set(written)
    assert publish("--to", site).startswith("0 files, 0 bytes")
    assert s3.keys() == written
