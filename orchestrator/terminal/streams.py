"""Standard output and error that never fail: what is printed must not decide how a training or a command ends."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_READER_IS_GONE = (errno.EPIPE, errno.EIO, errno.ECONNRESET)


class TolerantStream(io.TextIOWrapper):
    """Text written over another stream, whose failures end the printing and nothing else.

    Characters that its encoding lacks become question marks. Once nothing can be written any more (the reader of a
    pipe has gone, the disk is full), what follows is dropped. `failure` holds the reason where a reader would miss
    something: a pipe whose reader has gone is none.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream.buffer, stream.encoding, errors="replace", line_buffering=_flushes_lines(stream))
        self.failure: str | None = None

    def write(self, text: str, /) -> int:
        """Write text; drop it where that fails."""
        try:
            return super().write(text)
        except (OSError, ValueError) as error:
            self._drop(error)
            return len(text)

    def flush(self) -> None:
        """Hand on what was written; drop it where that fails."""
        try:
            super().flush()
        except (OSError, ValueError) as error:
            self._drop(error)

    def _drop(self, error: OSError | ValueError) -> None:
        """Let everything, also what still waits in the buffers, go nowhere from now on."""
        if isinstance(error, OSError) and error.errno not in _READER_IS_GONE:
            self.failure = self.failure or error.strerror or str(error)
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            return  # the descriptor is closed already


@contextmanager
def tolerant_streams() -> Iterator[None]:
    """Replace standard output and error for the duration of the block; say at its end when output was lost."""
    before = sys.stdout, sys.stderr
    output, errors = (_tolerant(stream) for stream in before)
    sys.stdout, sys.stderr = output, errors
    try:
        yield
    finally:
        output.flush()
        if isinstance(output, TolerantStream) and output.failure:
            print(f"orchestrate: the output could not be written in full: {output.failure}", file=errors)
        errors.flush()
        sys.stdout, sys.stderr = before
        for stream in (output, errors):
            if isinstance(stream, TolerantStream):
                stream.detach()  # or the stream below would be closed with it


def _tolerant(stream: TextIO | None) -> TextIO:
    """Return a tolerant stream over one of the process; a process whose parent closed it has none."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if not hasattr(stream, "buffer"):
        return stream  # a notebook's or a test's: no file that could be full or gone
    try:
        stream.flush()
    except (OSError, ValueError):
        return open(os.devnull, "w", encoding="utf-8")
    return TolerantStream(stream)


def _flushes_lines(stream: TextIO) -> bool:
    return bool(getattr(stream, "line_buffering", False)) or stream.isatty()
