"""One training step and what repeats it: replicas, groups of replicas, the optimiser, CUDA graphs."""
