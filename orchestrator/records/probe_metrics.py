"""The metrics that probes declare, as the statistics and the report know metrics."""

from collections.abc import Mapping

from reports.metrics import Metric


def probe_metrics() -> Mapping[str, Metric]:
    """Return the metric of every scalar that a probe of this program declares, by its name ``probe.scalar``."""
    return {}  # none of them stands in `trainers` yet
