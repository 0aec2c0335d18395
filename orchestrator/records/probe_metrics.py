"""The metrics that probes declare, as the statistics and the report know metrics."""

from collections.abc import Iterable, Mapping
from typing import Any

from reports.metrics import METRICS, Better, Metric, has_own_loss, measured, without_nats
from reports.trials import Arm
from trainers.probes import PROBES


def probe_metrics() -> Mapping[str, Metric]:
    """Return the metric of every scalar that a probe of this program declares, by its name ``probe.scalar``."""
    return {
        metric.name: metric
        for kind, probe in PROBES.items()
        for scalar in probe.scalars
        for metric in [measured(f"{kind}.{scalar.name}", scalar.unit, _BETTER[scalar.better], scalar.label)]
    }


def study_metrics(settings: Mapping[str, Any], arms: Iterable[Arm]) -> Mapping[str, Metric]:
    """Return the metrics of one study beside those that every trial has: its probes', and losses of its own."""
    declared = probe_metrics()
    return {**declared, **without_nats({**METRICS, **declared})} if has_own_loss(settings, arms) else declared


# A number that is neither is still compared; what the claim says decides its direction.
_BETTER = {"lower": Better.LESS, "higher": Better.MORE, None: Better.LESS}
