"""The script for SLURM, run with stand-ins for SLURM's commands: a study on two nodes, a signal before the time limit.

The second node has a network, a host name and processes of its own, as another machine would.
"""

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


def has_namespaces(*kinds: str) -> bool:
    """Whether processes may have namespaces of their own here: root may, but not in every container."""
    command = ["unshare", "--pid", "--fork", "--mount-proc", *kinds, "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    # `ray symmetric-run` ends with `ray stop`, which must not find the clusters of other tests.
    pytest.mark.skipif(not has_namespaces(), reason="needs a namespace of its own for processes"),
]
SCONTROL = 'if [ "$1" = requeue ]; then touch "$SLURM_TEST_FOLDER/requeued"; else {hosts}; fi'
# The shells stay, as the first processes of their namespaces: Ray waits long for processes that nobody has buried.
SRUN = """
unshare --pid --fork --mount-proc --uts --kill-child bash -c 'hostname first; "$@"; exit $?' - "$@" & first=$!
export RAY_gcs_rpc_server_reconnect_timeout_s=5
ip netns exec second unshare --pid --fork --mount-proc --uts --kill-child \\
    bash -c 'hostname second; mount -t tmpfs none /tmp/ray; "$@"; exit $?' - "$@" & second=$!
status=0; wait $first || status=$?
other=0; wait $second || other=$?
echo "exit codes: $status of the first node, $other of the second"
exit $(( status > other ? status : other ))
"""
STAND_INS = {
    "scontrol": SCONTROL.format(hosts='hostname -I | cut -d" " -f1'),
    "srun": 'exec "$@"',
    "orchestrate": f"#!{sys.executable}\nfrom orchestrator.cli import main\nmain()\n",
}
TWO = {"scontrol": SCONTROL.format(hosts="echo 10.77.0.1; echo 10.77.0.2"), "srun": SRUN}
NETWORK = """
set -e
mount -t tmpfs none /run
mkdir -p /tmp/ray
ip link set lo up
ip netns add second
ip link add to-second type veth peer name to-first
ip link set to-first netns second
ip addr add 10.77.0.1/24 dev to-second
ip link set to-second up
ip -n second addr add 10.77.0.2/24 dev to-first
ip -n second link set to-first up
ip -n second link set lo up
exec bash "$@"
"""
STUDY = """
study: job
data: {name: synthetic, shape: [3, 8, 8], classes: 3, train_size: 256, test_size: 32}
network: {family: "everywhere:build"}
training: {epochs: EPOCHS, batch_size: 32}
seeds: 2
resources: {checkpoint_seconds: 0, seeds_per_pack: 1}
"""
# No training goes on beyond its fourth step before `NODES` hosts train; the driver, which plans, takes fewer.
FAMILY = """
import os, pathlib, socket, time
from torch import nn

HERE = pathlib.Path(__file__).parent

class Waits(nn.Module):
    steps = 0

    def forward(self, x):
        self.steps += self.training and not x.is_meta
        if self.steps > 4:
            (HERE / f"host-{socket.gethostname()}").touch()
            while len(list(HERE.glob("host-*"))) < NODES:
                time.sleep(0.05)
        return x

def build(*, input_shape, num_classes):
    return nn.Sequential(Waits(), nn.Flatten(), nn.Linear(192, num_classes))
"""


def start(folder: Path, epochs: int, nodes: int = 1) -> subprocess.Popen[bytes]:
    for name, text in {**STAND_INS, **(TWO if nodes == 2 else {})}.items():
        tool = folder / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}\n", encoding="utf-8")
        tool.chmod(0o755)
    (folder / "job.yaml").write_text(STUDY.replace("EPOCHS", str(epochs)), encoding="utf-8")
    (folder / "everywhere.py").write_text(FAMILY.replace("NODES", str(nodes)), encoding="utf-8")
    (folder / "network.sh").write_text(NETWORK, encoding="utf-8")
    path = os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    slurm = {
        "SLURM_JOB_NODELIST": "here",
        "SLURM_JOB_ID": "6390",
        "SLURM_NNODES": str(nodes),
        "SLURM_CPUS_PER_TASK": "1",
    }
    own = {"PYTHONPATH": str(ROOT), "PATH": path, "ORCHESTRATE_DB": f"sqlite:///{folder}/job.db", **slurm}
    environment = {**os.environ, **own, "SLURM_TEST_FOLDER": str(folder), "RAY_AUTH_MODE": "disabled"}
    script = [str(ROOT / "docs" / "cluster" / "slurm.sh"), "job.yaml"]
    apart = ["--net", "--mount"] if nodes == 2 else []
    words = ["network.sh", *script] if nodes == 2 else script
    command = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", *apart, "bash", *words]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@pytest.mark.skipif(
    shutil.which("ip") is None or not has_namespaces("--net", "--uts"), reason="needs a network of its own, and `ip`"
)
def test_a_study_is_trained_by_both_nodes_to_its_end(tmp_path: Path) -> None:
    job = start(tmp_path, epochs=1, nodes=2)
    output, _ = job.communicate(timeout=200)
    assert job.returncode == 0, output.decode()
    trials = load_study("job", db=f"sqlite:///{tmp_path}/job.db").trials()
    assert list(trials["state"]) == ["COMPLETE"] * 2
    assert sorted(trials["host"]) == ["first", "second"]


def test_a_signal_before_the_time_limit_puts_the_job_back_into_the_queue(tmp_path: Path) -> None:
    job = start(tmp_path, epochs=5000)
    until = time.monotonic() + 200
    while not list(tmp_path.glob("out/job/checkpoints/*")):
        assert time.monotonic() < until
        assert job.poll() is None
        time.sleep(0.5)
    script = subprocess.run(["pgrep", "-P", str(job.pid)], capture_output=True, text=True, check=True).stdout
    os.kill(int(script), signal.SIGUSR1)
    output, _ = job.communicate(timeout=120)
    assert job.returncode == 130, output.decode()
    assert (tmp_path / "requeued").exists()
