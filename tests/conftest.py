"""Which tests stay together on one of pytest's workers, and how these and Ray's workers share the machine."""

import gc
import inspect
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

# Threads that wait for one another on busy cores take twice the time; this must come before the first import of torch.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray lets everything else go before its workers, and the others of pytest's workers are always busy.
os.environ.setdefault("RAY_worker_niceness", "0")
gc.disable()  # until all is imported and collected, most of which stays to the end
# A background job of a shell ignores SIGINT, one of nohup SIGHUP, and what the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is known of image folders out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True, scope="session")
def _parts_of_fonts() -> Iterator[None]:
    """Let matplotlib cut each part of a font once; it does so for every PDF, in a third of the time of a page."""
    from matplotlib.backends import _backend_pdf_ps as fonts

    cut: Callable[[Any, Iterable[Any]], Any] = fonts.get_glyphs_subset
    if "glyphs" not in inspect.signature(cut).parameters:  # an older matplotlib, which returns the part itself
        yield
        return
    known: dict[object, object] = {}
    with ExitStack() as opened, pytest.MonkeyPatch.context() as patch:

        def once(font: Any, glyphs: Iterable[Any]) -> object:
            key = (str(font), getattr(font, "face_index", 0), frozenset(glyphs))
            if key not in known:
                known[key] = opened.enter_context(cut(font, glyphs))
            return nullcontext(known[key])

        patch.setattr(fonts, "get_glyphs_subset", once)
        yield


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the path of the page of a study in tests/reports/studies.py, written once for all of pytest's workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def of(name: str) -> Path:
        from reports.page import write_report
        from tests.reports import studies

        page = shared / f"report-{name}" / "index.html"
        with FileLock(shared / f"report-{name}.lock"):
            return page if page.exists() else write_report(getattr(studies, name)(), page.parent)

    return of


@pytest.fixture
def main(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return the entry point of the program: it ends with SystemExit, also where another test has imported Ray."""
    from orchestrator import cli

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def run(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["orchestrate", *words])
        with monkeypatch.context() as patched:
            patched.setattr(os, "_exit", sys.exit)
            cli.main()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the marks in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file together, all that start nodes of a cluster, and all in which the program starts one.

    No two clusters of one of the last two groups run at once. Long groups come first, these two before all, so that
    none is left for one worker when the others are done.
    """
    slow = {_file(item) for item in items if item.get_closest_marker("slow") or item.get_closest_marker("browser")}
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("cluster" if item.get_closest_marker("cluster") else _file(item)))
    items.sort(key=lambda item: (item.get_closest_marker("cluster") is None, _file(item) not in slow))


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run the tests of clusters side by side, should pytest and pytest-xdist not understand each other.

    What has been imported and collected is never looked at again for garbage: pytest does so several times at its end.
    """
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("this pytest-xdist does not keep groups of tests together with this pytest")
    gc.freeze()
    gc.enable()
