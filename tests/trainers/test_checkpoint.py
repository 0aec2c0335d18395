import pytest
import torch

from trainers.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

STATE = {"a": torch.arange(5), "b": {"c": 1.5, "d": None}}


def test_what_was_saved_is_loaded(tmp_path):
    save_checkpoint(tmp_path / "new" / "x.ckpt", STATE)
    found = load_checkpoint(tmp_path / "new" / "x.ckpt")
    assert torch.equal(found["a"], STATE["a"])
    assert found["b"] == STATE["b"]


def test_nothing_else_is_left_in_the_folder(tmp_path):
    save_checkpoint(tmp_path / "x.ckpt", STATE)
    assert [path.name for path in tmp_path.iterdir()] == ["x.ckpt"]


def test_a_failed_write_keeps_the_old_file(tmp_path, monkeypatch):
    save_checkpoint(tmp_path / "x.ckpt", STATE)
    before = (tmp_path / "x.ckpt").read_bytes()

    def full(descriptor):
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(tmp_path / "x.ckpt", {"a": 2})
    assert (tmp_path / "x.ckpt").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("length", [0, 10, 40, 100, -1])
def test_a_torn_file_is_refused(tmp_path, length):
    save_checkpoint(tmp_path / "x.ckpt", STATE)
    content = (tmp_path / "x.ckpt").read_bytes()
    (tmp_path / "x.ckpt").write_bytes(content[:length])
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path / "x.ckpt")


def test_a_flipped_bit_is_found(tmp_path):
    save_checkpoint(tmp_path / "x.ckpt", STATE)
    content = bytearray((tmp_path / "x.ckpt").read_bytes())
    content[-200] ^= 1
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match="torn"):
        load_checkpoint(tmp_path / "x.ckpt")


def test_a_foreign_file_is_refused(tmp_path):
    torch.save(STATE, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        load_checkpoint(tmp_path / "x.ckpt")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_checkpoint(tmp_path / "x.ckpt")
