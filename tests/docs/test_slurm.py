"""The script for SLURM, run with stand-ins for SLURM's commands: a study ends, and a signal before the time limit."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator import load_study

ROOT = Path(__file__).parents[2]


def has_namespaces() -> bool:
    """Whether processes may have a namespace of their own here: root may, but not in every container."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    # `ray symmetric-run` ends with `ray stop`, which must not find the clusters of other tests.
    pytest.mark.skipif(not has_namespaces(), reason="needs a namespace of its own for processes"),
]
STAND_INS = {
    "scontrol": 'if [ "$1" = requeue ]; then touch "$SLURM_TEST_FOLDER/requeued"; else hostname -I | cut -d" " -f1; fi',
    "srun": 'exec "$@"',
    "orchestrate": f"#!{sys.executable}\nfrom orchestrator.cli import main\nmain()\n",
}
STUDY = """
study: job
data: {name: synthetic, shape: [3, 8, 8], classes: 3, train_size: 256, test_size: 32}
network: {family: resnet_cifar, depth: 8, width: 4}
training: {epochs: EPOCHS, batch_size: 32}
seeds: 2
resources: {checkpoint_seconds: 0}
"""


def start(folder: Path, epochs: int) -> subprocess.Popen[bytes]:
    for name, text in STAND_INS.items():
        tool = folder / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}\n", encoding="utf-8")
        tool.chmod(0o755)
    (folder / "job.yaml").write_text(STUDY.replace("EPOCHS", str(epochs)), encoding="utf-8")
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    slurm = {"SLURM_JOB_NODELIST": "here", "SLURM_JOB_ID": "6390", "SLURM_NNODES": "1", "SLURM_CPUS_PER_TASK": "1"}
    own = {"PYTHONPATH": str(ROOT), "PATH": path, "ORCHESTRATE_DB": f"sqlite:///{folder}/job.db", **slurm}
    environment = {**os.environ, **own, "SLURM_TEST_FOLDER": str(folder), "RAY_AUTH_MODE": "disabled"}
    script = [str(ROOT / "docs" / "cluster" / "slurm.sh"), "job.yaml"]
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", *script]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_study_runs_to_its_end(tmp_path: Path) -> None:
    job = start(tmp_path, epochs=1)
    output, _ = job.communicate(timeout=200)
    assert job.returncode == 0, output.decode()
    assert list(load_study("job", db=f"sqlite:///{tmp_path}/job.db").trials()["state"]) == ["COMPLETE"] * 2


def test_a_signal_before_the_time_limit_puts_the_job_back_into_the_queue(tmp_path: Path) -> None:
    job = start(tmp_path, epochs=5000)
    until = time.monotonic() + 120
    while not list(tmp_path.glob("out/job/checkpoints/*")):
        assert time.monotonic() < until
        assert job.poll() is None
        time.sleep(0.5)
    script = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(script), signal.SIGUSR1)
    output, _ = job.communicate(timeout=120)
    assert job.returncode == 130, output.decode()
    assert (tmp_path / "requeued").exists()
