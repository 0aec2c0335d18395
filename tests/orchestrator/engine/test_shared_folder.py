"""Checkpoints in a folder that every node reaches by its URL: another node goes on, whatever the storage does."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from types import SimpleNamespace

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from orchestrator.engine import checkpoints as checkpoints_module
from orchestrator.engine import shared_folder, shared_removal
from orchestrator.engine.checkpoints import MARK, Checkpoints, RecordedPacks, paths, progress_files, unshared
from orchestrator.engine.shared_folder import OutOfReach, SharedFolder
from orchestrator.records.events import Notice, TrialEnded
from orchestrator.scheduling.packs import Pack
from reports.trials import State
from tests.orchestrator.engine.test_checkpoints import TASK, nothing

PACK = Pack({}, {0: "a"})


@pytest.fixture(params=["file", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a folder that two nodes share."""
    if request.param == "file":
        return f"file://{tmp_path / 'shared' / 'of all nodes'}"
    MemoryFileSystem.store.clear()
    return "memory://checkpoints"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints_module, "FETCH_PAUSES", (0.0, 0.0))


class Node:
    """A node with a disk of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.checkpoints = Checkpoints(folder, PACK.id, 0, SharedFolder(url))

    def train(self, epochs: int) -> list[str]:
        """Train so many epochs more, each with a checkpoint; return what the user is told."""
        trainer, told = self.checkpoints.resume(TASK, "cpu", 1)
        for _ in range(epochs):
            trainer.run_epoch()
            told += self.checkpoints.save(trainer, nothing)
        return [each.text for each in told if isinstance(each, Notice)]

    def epochs(self) -> int:
        """Return how many epochs an attempt on this node begins with."""
        trainer, _ = self.checkpoints.resume(TASK, "cpu", 1)
        return len(trainer.records)


@pytest.fixture
def first(tmp_path: Path, url: str) -> Node:
    return Node(tmp_path / "node-1", url)


@pytest.fixture
def second(tmp_path: Path, url: str) -> Node:
    return Node(tmp_path / "node-2", url)


def replace_shared(url: str, name: str, content: bytes | None) -> None:
    """Put other content into a file of the shared folder; None: half of what it holds."""
    files = SharedFolder(url)
    path = files._full(name)
    whole = files._files.cat_file(path)
    files._files.pipe_file(path, whole[: len(whole) // 2] if content is None else content)


def test_a_node_goes_on_where_another_was(first: Node, second: Node) -> None:
    assert first.train(2) == []
    assert second.epochs() == 2


def test_the_end_of_a_training_that_was_saved_before_is_kept_too(first: Node, second: Node) -> None:
    first.checkpoints = Checkpoints(first.folder, PACK.id, 1000, SharedFolder(first.url))
    first.train(2)
    trainer, _ = first.checkpoints.resume(TASK, "cpu", 1)
    trainer.run_epoch()
    assert first.checkpoints.save_end(trainer, nothing) == []
    assert second.epochs() == 3


def test_the_numbers_are_those_of_a_training_on_one_node(first: Node, second: Node) -> None:
    first.train(2)
    other, _ = second.checkpoints.resume(TASK, "cpu", 1)
    other.run_epoch()
    alone, _ = Checkpoints(None, PACK.id, 0).resume(TASK, "cpu", 1)
    for _ in range(3):
        alone.run_epoch()
    assert [(each.train_loss, each.test_error) for each in other.records] == [
        (each.train_loss, each.test_error) for each in alone.records
    ]


@pytest.mark.parametrize("content", [b"", b"rubbish", None], ids=["empty", "foreign", "torn"])
def test_a_spoilt_checkpoint_in_the_shared_folder_is_told_and_the_one_before_is_used(
    first: Node, second: Node, url: str, content: bytes | None
) -> None:
    first.train(2)
    replace_shared(url, paths(Path(), PACK.id)[0].name, content)
    (told,) = second.train(0)
    assert told.startswith("the checkpoint a.pt on ")
    assert second.epochs() == 1


def test_a_checkpoint_whose_sending_was_cut_short_leaves_the_one_before(
    first: Node, second: Node, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.train(1)
    trainer, _ = first.checkpoints.resume(TASK, "cpu", 1)
    trainer.run_epoch()
    storage = type(SharedFolder(url)._files)

    def cut_short(files: object, path: str, to: str) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "put_file", cut_short)
        (notice,) = first.checkpoints.save(trainer, nothing)
    assert isinstance(notice, Notice)
    assert f"checkpoints cannot be sent to {url} (Input/output error) and stay on " in notice.text
    assert second.epochs() == 1


def test_what_the_shared_folder_did_not_take_helps_the_same_node(
    first: Node, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "send", out_of_reach)
        assert len(set(first.train(2))) == 1
    assert first.epochs() == 2
    first.train(1)
    assert not paths(first.folder, PACK.id)[0].exists()  # it is in the shared folder now


def out_of_reach(*arguments: object, **settings: object) -> None:
    raise OutOfReach("no route to host")


def test_a_storage_that_cannot_be_read_is_waited_for_and_then_told(
    first: Node, second: Node, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.train(2)
    fetch, tries = SharedFolder.fetch, []

    def at_the_second_try(self: SharedFolder, name: str, to: Path) -> bool:
        tries.append(name)
        if len(tries) == 1:
            raise OutOfReach("no route to host")
        return fetch(self, name, to)

    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "fetch", at_the_second_try)
        assert second.epochs() == 2
        patch.setattr(SharedFolder, "fetch", out_of_reach)
        (told,) = Node(second.folder / "new", url).train(0)
    assert told.startswith(f"checkpoints in {url} cannot be read on ")


def test_a_storage_that_does_not_answer_holds_up_nobody_for_long(
    first: Node, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_folder, "ANSWER_SECONDS", 0.05)
    answered = Flag()
    files = SharedFolder(url)

    def never(path: str) -> None:
        answered.wait(30)

    monkeypatch.setattr(files._files, "exists", never)
    with pytest.raises(OutOfReach, match=r"no answer within 0\.05 s"):
        files.has("a.pt")
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(OutOfReach, match="it does not answer"):
            files.has("a.pt")
    answered.set()
    assert time.monotonic() - began < 5


def test_checkpoints_go_when_the_results_are_recorded(first: Node, url: str) -> None:
    first.train(2)
    recorded = RecordedPacks(first.folder, SharedFolder(url))
    recorded.follow(PACK)
    recorded(TrialEnded("a", State.COMPLETE))
    names = [file.name for file in progress_files(first.folder, PACK.id)]
    wait_for(lambda: not any(SharedFolder(url).has(name) for name in names))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_storage_that_does_not_answer_keeps_no_result_from_being_recorded(
    first: Node, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.train(1)
    answered, asked = Flag(), Flag()

    def never(self: SharedFolder, names: object) -> None:
        asked.set()
        answered.wait(30)
        raise OutOfReach("it does not answer")

    recorded = RecordedPacks(first.folder, SharedFolder(url))
    recorded.follow(PACK)
    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "remove", never)
        recorded(TrialEnded("a", State.COMPLETE))  # would last as long as the storage is silent
        assert asked.wait(30)
    answered.set()
    recorded.close()
    assert not SharedFolder(url).has("a.pt")


def test_the_end_does_not_wait_for_ever_for_a_storage(first: Node, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_removal, "ANSWER_SECONDS", 0.05)
    answered = Flag()
    monkeypatch.setattr(SharedFolder, "remove", lambda self, names: answered.wait(30))
    recorded = RecordedPacks(first.folder, SharedFolder(url))
    recorded.follow(PACK)
    recorded(TrialEnded("a", State.COMPLETE))
    began = time.monotonic()
    recorded.close()
    assert time.monotonic() - began < 10
    answered.set()


@pytest.mark.parametrize("further", ["shared", "local"])
def test_of_a_checkpoint_that_could_not_be_sent_and_a_shared_one_the_further_is_used(
    first: Node, second: Node, monkeypatch: pytest.MonkeyPatch, further: str
) -> None:
    first.train(1)
    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "send", out_of_reach)
        first.train(1)
    if further == "shared":
        second.train(2)
    trainer, told = first.checkpoints.resume(TASK, "cpu", 1)
    assert (len(trainer.records), told) == ({"local": 2, "shared": 3}[further], [])
    assert not list(first.folder.glob("*.fetched"))


def test_checkpoints_of_what_was_stopped_early_go_at_the_end(first: Node, url: str) -> None:
    first.train(1)
    recorded = RecordedPacks(first.folder, SharedFolder(url))
    recorded.follow(PACK)
    recorded(TrialEnded("a", State.PRUNED))
    assert SharedFolder(url).has("a.pt")
    recorded.close()
    assert not SharedFolder(url).has("a.pt")


def test_what_could_not_be_removed_is_removed_at_the_end(
    first: Node, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first.train(1)
    recorded = RecordedPacks(first.folder, SharedFolder(url))
    recorded.follow(PACK)
    asked = Flag()

    def refuses(self: SharedFolder, names: object) -> None:
        asked.set()
        raise OutOfReach("no route to host")

    with monkeypatch.context() as patch:
        patch.setattr(SharedFolder, "remove", refuses)
        recorded(TrialEnded("a", State.COMPLETE))
        assert asked.wait(30)
    assert SharedFolder(url).has("a.pt")
    recorded.close()
    assert not SharedFolder(url).has("a.pt")


def test_a_host_where_the_url_is_another_place_says_so(tmp_path: Path, url: str) -> None:
    (notice,) = unshared(tmp_path, "another-host", SharedFolder(url))
    assert isinstance(notice, Notice)
    assert "name one that all nodes share with resources.checkpoints" in notice.text
    SharedFolder(url).mark(MARK)
    assert unshared(tmp_path, "another-host", SharedFolder(url)) == []


def test_a_bucket_is_never_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Bucket(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
        def makedirs(self, path: str, exist_ok: bool = False) -> None:
            raise AssertionError(f"makes {path}")

        def pipe_file(self, path: str, value: bytes, **options: object) -> None:
            raise FileNotFoundError("The specified bucket does not exist")

    monkeypatch.setattr(shared_folder, "url_to_fs", lambda url: (Bucket(), "nobucket/checkpoints"))
    with pytest.raises(OutOfReach, match="The specified bucket does not exist"):
        SharedFolder("s3://nobucket/checkpoints").mark(MARK)


def test_a_storage_that_refuses_slowly_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(shared_folder, "time", clock)

    class Refuses(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
        def put_file(self, path: str, to: str) -> None:
            asked.append(to)
            clock.now += 2.0
            raise ConnectionError("Could not connect to the endpoint URL")

    monkeypatch.setattr(shared_folder, "url_to_fs", lambda url: (Refuses(), "bucket/checkpoints"))
    folder, file = SharedFolder("s3://bucket/checkpoints"), tmp_path / "a.pt"
    file.write_bytes(b"1")
    for moment, times in ((0.0, 1), (2.0, 1), (21.9, 1), (22.0, 2), (43.9, 2)):
        clock.now = moment
        with pytest.raises(OutOfReach, match="Could not connect to the endpoint URL"):
            folder.send(file)
        assert len(asked) == times, moment
