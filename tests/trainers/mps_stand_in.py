"""A stand-in for NVIDIA's MPS on machines without a GPU: the control program and CUDA's driver library.

The daemon is a file `control` in the folder for pipes; a process that initialises CUDA while it is there makes the
daemon list a server. Each call of the control program is written down.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HAS_COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler for a stand-in of libcuda")
GPU = "GPU-5f3c0e8e-0000-0000-0000-000000000001"

PROGRAM = """#!{python} -S
import os, pathlib, sys, time
here = pathlib.Path(__file__).parent
pipes = pathlib.Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY") or here / "nodes")
control = pipes / "control"
said = "-d" if sys.argv[1:] == ["-d"] else sys.stdin.read().strip()
with (here / "calls").open("a") as file:
    file.write(f"{{said}} {{pipes}} {{os.environ.get('CUDA_VISIBLE_DEVICES', 'all')}}\\n")
if (here / f"hangs {{said}}").exists():
    time.sleep(60)
if (here / f"fails {{said}}").exists():
    sys.exit("You do not have permission to do that")
if said == "-d":
    if control.exists():
        sys.exit("An instance of this daemon is already running")
    control.write_text("")
    if (here / "lingers -d").exists():
        time.sleep(60)
    if os.fork() == 0:
        time.sleep(1)  # a daemon keeps what it prints into open
elif not control.exists():
    sys.exit("Cannot find MPS control daemon process")
elif said == "get_server_list":
    print(control.read_text(), end="")
elif said == "quit":
    control.unlink()
"""

LIBRARY = """
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int cuInit(unsigned flags) {
    char path[4096];
    const char *code = getenv("STAND_IN_CUDA"), *pipes = getenv("CUDA_MPS_PIPE_DIRECTORY");
    snprintf(path, sizeof path, "%s/control", pipes ? pipes : "");
    if (!code && access(path, F_OK) == 0) {
        FILE *file = fopen(path, "w");
        fputs("4711\\n", file);
        fclose(file);
    }
    return code ? atoi(code) : 0;
}
int cuDeviceGet(int *device, int number) { *device = 7; return number; }
int cuDevicePrimaryCtxRetain(void **context, int device) { return device == 7 ? 0 : 101; }
"""


@dataclass(frozen=True)
class StandIn:
    """The stand-in in a folder of its own, and the environment in which programs find it."""

    folder: Path

    @classmethod
    def made_in(cls, folder: Path) -> "StandIn":
        folder.mkdir()
        program = folder / "nvidia-cuda-mps-control"
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        (folder / "cuda.c").write_text(LIBRARY)
        words = ["cc", "-shared", "-fPIC", "-o", folder / "libcuda.so.1", folder / "cuda.c"]
        subprocess.run(words, check=True, timeout=60)
        return cls(folder)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.folder}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(self.folder),
            "CUDA_VISIBLE_DEVICES": GPU,
        }

    def calls(self, command: str) -> list[list[str]]:
        """Return with which folder for pipes and which devices the control program was called for a command."""
        path = self.folder / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split()[1:] for line in lines if line.split()[0] == command]

    def let(self, behaviour: str) -> None:
        """Let a command hang or fail from now on, as in "hangs quit"."""
        (self.folder / behaviour).touch()

    def run_on_the_node(self) -> None:
        """Let a daemon run that somebody else has started."""
        (self.folder / "nodes").mkdir()
        (self.folder / "nodes" / "control").touch()


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
