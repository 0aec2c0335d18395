"""Programs that the benchmarks hold the product against, written as their own documentation teaches."""
