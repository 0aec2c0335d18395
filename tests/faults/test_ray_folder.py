"""Ray's own folder is full or read-only in the middle of a run."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from orchestrator import run_study
from reports.trials import State
from tests.faults.chaos import small_disk
from tests.faults.held import hold, let_go
from tests.faults.test_killed import HERE, is_worker, start, states, wait_for_an_epoch
from tests.faults.test_unlike_nodes import as_root
from tests.integration.test_cluster import numbers

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.cluster, pytest.mark.timeout(590), as_root]


@contextmanager
def disk_of_a_file() -> Iterator[Path]:
    """Make a disk that can become read-only while files on it are open."""
    with tempfile.TemporaryDirectory(prefix="disk", dir="/tmp") as name:
        image, disk = Path(name, "image"), Path(name, "d")
        disk.mkdir()
        with image.open("wb") as file:
            file.truncate(200 << 20)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        mounted = subprocess.run(["mount", "-o", "loop", str(image), str(disk)], capture_output=True, text=True)
        if mounted.returncode:
            pytest.skip(mounted.stderr.strip())
        try:
            yield disk
        finally:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)) == 4096:
            pass


def make_read_only(disk: Path) -> None:
    """Let the disk be as after an error of its own, for which the kernel makes it read-only."""
    subprocess.run(["mount", "-o", "remount,abort", str(disk)], check=True)


@pytest.mark.parametrize(
    ("make", "spoil", "kills"), [(small_disk, fill, True), (disk_of_a_file, make_read_only, False)]
)
def test_a_folder_of_rays_that_takes_nothing_more_loses_no_result(
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], AbstractContextManager[Path]],
    spoil: Callable[[Path], None],
    kills: bool,
) -> None:
    hold(small, seeds_per_pack=1, max_concurrent=1)
    with make() as disk, monkeypatch.context() as patch:
        for name in ("RAY_TMPDIR", "TMPDIR"):
            patch.setenv(name, str(disk))
        driver = start(small)
        wait_for_an_epoch(driver)
        spoil(disk)
        if kills:  # another worker has to be started there
            next(each for each in psutil.Process(driver.pid).children(recursive=True) if is_worker(each)).kill()
        let_go(small)
        output, errors = driver.communicate(timeout=300)
    assert "Traceback" not in output + errors
    if kills:
        assert driver.returncode == 1
        assert errors.startswith("orchestrate: Ray Tune ended 5 times: ")
        assert f"it writes into {disk}/" in errors
        assert errors.count("\n") == 1
    else:
        assert (driver.returncode, errors) == (0, "")
    assert set(states()) == {State.WAITING if kills else State.COMPLETE}
    here = run_study(small, options=HERE).study
    assert numbers(here) == numbers(run_study(small, options=replace(HERE, db="sqlite:///quiet.db")).study)
