"""`orchestrate` as it is, but for how long it waits for what is gone: python -m tests.faults.impatient.

The waits are long for networks that are slow and machines that are busy. Here both ends are one machine, on which
nothing that is gone comes back.
"""

from orchestrator.cli import main
from orchestrator.engine import cluster, limits

limits.SILENCE_SECONDS = 20.0  # four times the seconds between two signs of a worker
cluster.ROUND_SECONDS = 0.5
cluster.REFUSED_SECONDS = 3.0
cluster.SHUTDOWN_SECONDS = 5.0

if __name__ == "__main__":
    main()
