"""Tell a URL or a command that a run ended, that a trial failed, or that a claim has another verdict."""

import json
import os
import re
import shlex
import shutil
import subprocess
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

from orchestrator.errors import UserError
from orchestrator.records.events import Event, TrialEnded
from reports.trials import State
from search_spaces.errors import shown

MOST_FAILURES = 10
"""So many failed trials of a run are told one by one; the end of the run tells how many there were."""
SECONDS = 30.0
SCHEMES = ("http://", "https://")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def check_target(target: str) -> None:
    """Raise a UserError for what is neither a URL that can be asked nor a command that this machine has."""
    if target.lower().startswith(SCHEMES):
        if problem := _url_problem(target):
            raise UserError(f"--notify: the URL cannot be asked: {problem}")
        return
    try:
        first, *_ = (word for word in shlex.split(target) if not _ASSIGNMENT.match(word))
    except ValueError:
        raise UserError(f'--notify: "{target}" is no URL with http:// or https://, and no command') from None
    if not _has_command(first):
        raise UserError(f'--notify: there is no command "{first}"; give a command, or a URL with http:// or https://')


def _url_problem(url: str) -> str | None:
    """Return what is wrong with a URL before anyone asks it; None for nothing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        return str(error)
    if not parts.hostname:
        return "it names no host"
    if not parts.hostname.isascii():
        return f"write the host {shown(parts.hostname)} in its ASCII form, xn--…"
    if port == 0:
        return "its port is 0"
    wrong = next((each for each in url if not "!" <= each <= "~"), None)
    return f"write {shown(wrong)} as {quote(wrong, safe='', errors='replace')}" if wrong else None


def _has_command(name: str) -> bool:
    """Whether the shell knows a command, one of its own such as cd among them."""
    if shutil.which(name) is not None:
        return True
    asked = ["/bin/sh", "-c", 'command -v -- "$1"', "sh", name]
    return "/" not in name and subprocess.run(asked, capture_output=True, check=False).returncode == 0


@contextmanager
def notifying(target: str | None, study: str) -> Iterator["Notifier | None"]:
    """Notify `target`, if there is one, of the run inside the block, also of an error that ends it."""
    if target is None:
        yield None
        return
    notifier = Notifier(target, study)
    try:
        yield notifier
    except BaseException as error:  # an interrupt, too
        notifier.ended(f"the run ended with an error: {error or type(error).__name__}", {}, None)
        raise


class Notifier:
    """Sends each message from a thread of its own, so that nothing waits for whoever is told; a listener of events.

    A URL gets a POST of JSON with `event` (ended, failed or verdict), `study`, `text` and more; a command gets the same
    JSON on its standard input, and event, study and text as ORCHESTRATE_EVENT, _STUDY and _TEXT in its environment.
    `problem` says why the last message did not arrive; it never stops a run or changes its exit code.
    """

    def __init__(self, target: str, study: str) -> None:
        self.problem: str | None = None
        self._target = target
        self._study = study
        self._failures = 0
        self._queue: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="notification", daemon=True)
        self._thread.start()

    def __call__(self, event: Event) -> None:
        """Tell of a trial that failed."""
        if not isinstance(event, TrialEnded) or event.state is not State.FAILED:
            return
        self._failures += 1
        if self._failures <= MOST_FAILURES:
            facts = {"trial": event.trial, "cause": event.cause and str(event.cause), "reason": event.reason}
            self._tell("failed", f"trial {event.trial} failed: {event.reason}", facts)

    def verdicts(self, before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]) -> None:
        """Tell of each claim whose verdict is another one than before this run."""
        known = {each["claim"]: each["verdict"] for each in before}
        for each in after:
            former = known.get(each["claim"])
            if each["verdict"] != former:
                change = f" (before: {former})" if former else ""
                facts = {"claim": each["claim"], "verdict": each["verdict"], "before": former}
                self._tell("verdict", f"{each['claim']}: {each['verdict']}{change}", facts)

    def ended(self, how: str, states: Mapping[str, int], report: str | None) -> None:
        """Tell that the run is over and wait until everything is told, `SECONDS` at most."""
        counts = ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
        self._tell("ended", f"{how}: {counts}" if counts else how, {"states": dict(states), "report": report})
        self._queue.put(None)
        self._thread.join(SECONDS)
        if self._thread.is_alive():
            self.problem = f"no answer within {SECONDS:.0f} s"

    def _tell(self, event: str, text: str, facts: Mapping[str, Any]) -> None:
        self._queue.put({"event": event, "study": self._study, "text": f"{self._study}: {text}", **facts})

    def _work(self) -> None:
        while (message := self._queue.get()) is not None:
            try:
                self._send(message)
            except Exception as error:  # whoever is told may fail in any way
                self.problem = str(error) or type(error).__name__

    def _send(self, message: Mapping[str, Any]) -> None:
        content = json.dumps(message, ensure_ascii=False).encode() + b"\n"
        if self._target.lower().startswith(SCHEMES):
            _post(self._target, content)
        else:
            words = {f"ORCHESTRATE_{key.upper()}": str(message[key]) for key in ("event", "study", "text")}
            _run_command(self._target, content, words)


def _post(url: str, content: bytes) -> None:
    """Send JSON to a URL; OSError where no answer comes that says it was taken."""
    request = urllib.request.Request(url, content, {"Content-Type": "application/json"}, method="POST")
    with urllib.request.urlopen(request, timeout=SECONDS / 2):
        pass


def _run_command(command: str, content: bytes, words: Mapping[str, str]) -> None:
    """Run a command with `content` as its input and `words` in its environment; RuntimeError where it fails."""
    done = subprocess.run(
        command, shell=True, input=content, env={**os.environ, **words}, capture_output=True, timeout=SECONDS / 2
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"the command ended with {done.returncode}{': ' + said[0] if said else ''}")
