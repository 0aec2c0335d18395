"""The report of a study in training, written again about every minute, so that its page shows what is known so far."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestrator.storage import Store
from reports.analysis.verdicts import judge_study
from reports.page import write_report

SECONDS = 60.0
MOST_SHARE = 0.05
"""A page that takes long to write is written less often: this is the most of the time that goes into it."""
PATIENCE_SECONDS = 120.0

_logger = logging.getLogger(__name__)


@contextmanager
def live_report(url: str, study: str, folder: Path) -> Iterator[None]:
    """Write the report of `study` into `folder` about every minute while the block runs; the last one is the caller's.

    A report that cannot be written is tried again later: the last one says why.
    """
    ended = threading.Event()
    thread = threading.Thread(target=_write_until, args=(ended, url, study, folder), name="live report", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(PATIENCE_SECONDS)


def _write_until(ended: threading.Event, url: str, study: str, folder: Path) -> None:
    pause = SECONDS
    while not ended.wait(pause):
        began = time.monotonic()
        try:
            with Store.open(url, read_only=True) as store:
                results = store.load_study(study)
            verdicts = judge_study(results)
            if not ended.is_set():  # the last report is the caller's, who waits for this thread
                write_report(results, folder, verdicts, is_last=False)
        except Exception as error:  # nothing that is wrong with a page may end a run
            _logger.info("the report could not be written during the run", exc_info=error)
        pause = max(SECONDS, (time.monotonic() - began) / MOST_SHARE)
