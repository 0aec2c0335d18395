"""What the comparison with published numbers shows."""

COMPARED = (
    "Published numbers and ours, like for like: the same statistic, and the difference (ours less theirs) with its "
    "95 % interval."
)
TABLE = "Published numbers and ours, like for like."
