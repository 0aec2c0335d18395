"""Checkpoints: one file, written whole or not at all, and recognised before it is read."""

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

MAGIC = b"ablation trainers checkpoint 1\n"


class CheckpointError(Exception):
    """The file is no whole checkpoint of this task; the caller starts afresh."""


def save_checkpoint(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write `state` (tensors and plain values) to `path`, so that a crash at any moment leaves the old or the new file.

    The file starts with a mark and the SHA-256 of what follows. Raises OSError when the folder cannot be written.
    """
    path = Path(path)
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    content = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(MAGIC + hashlib.sha256(content).digest() + content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_checkpoint(path: str | Path) -> bool:
    """Whether the file at `path` begins as a checkpoint of this program does; a torn one may end at once."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError:
        return False
    return MAGIC.startswith(start)


def load_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the state stored at `path`, tensors on the CPU; CheckpointError for a missing, torn or foreign file."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    if not content.startswith(MAGIC):
        raise CheckpointError(f"{path} is not a checkpoint of this program")
    start = len(MAGIC) + hashlib.sha256().digest_size
    if hashlib.sha256(content[start:]).digest() != content[len(MAGIC) : start]:
        raise CheckpointError(f"{path} is torn: its contents are not what was written")
    state: dict[str, Any] = torch.load(io.BytesIO(content[start:]), map_location="cpu", weights_only=True)
    return state


def epochs_in(path: str | Path) -> int:
    """Return how many epochs are recorded in the checkpoint at `path`; -1 where there is no whole checkpoint."""
    try:
        return len(load_checkpoint(path)["records"])
    except Exception:  # a file of another version may hold anything
        return -1
