"""What the exit code of a command says."""

FAILED, MISTAKE, REFUTED, INCONCLUSIVE, INTERRUPTED = 1, 2, 3, 4, 130
