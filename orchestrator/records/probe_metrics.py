"""The metrics that probes declare, as the statistics and the report know metrics."""

from collections.abc import Mapping

from reports.metrics import Better, Metric, measured
from trainers.probes import PROBES


def probe_metrics() -> Mapping[str, Metric]:
    """Return the metric of every scalar that a probe of this program declares, by its name ``probe.scalar``."""
    return {
        metric.name: metric
        for kind, probe in PROBES.items()
        for scalar in probe.scalars
        for metric in [measured(f"{kind}.{scalar.name}", scalar.unit, _BETTER[scalar.better], scalar.label)]
    }


# A number that is neither is still compared; what the claim says decides its direction.
_BETTER = {"lower": Better.LESS, "higher": Better.MORE, None: Better.LESS}
