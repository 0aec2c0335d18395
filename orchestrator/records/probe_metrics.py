"""The metrics that probes declare, as the statistics and the report know metrics."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from reports.metrics import METRICS, Better, Metric, has_own_loss, measured, without_nats
from reports.results import Measurement
from reports.trials import Arm
from trainers.probes import PROBES, ProbeRequest, find_probe


def probe_metrics(requests: Iterable[ProbeRequest] = ()) -> Mapping[str, Metric]:
    """Return the metric of every scalar that a probe declares, by its name ``probe.scalar``.

    These are the probes of this program, and those of the user's own among `requests`.
    """
    probes = {**PROBES, **{request.kind: find_probe(request.name) for request in requests}}
    return {
        metric.name: metric for kind, probe in probes.items() for metric in _declared(kind, map(asdict, probe.scalars))
    }


def study_metrics(
    settings: Mapping[str, Any], arms: Iterable[Arm], measurements: Iterable[Measurement] = ()
) -> Mapping[str, Metric]:
    """Return the metrics of a study on record beside those that every trial has: its probes', and losses of its own.

    What a probe that this program lacks declared stands in its measurements: no code of the user's is needed.
    """
    others = {each.kind: each.values.get("probe") for each in measurements if each.kind not in PROBES}
    declared = {
        **probe_metrics(),
        **{
            metric.name: metric
            for kind, probe in others.items()
            if isinstance(probe, Mapping)
            for metric in _declared(kind, probe.get("scalars", ()))
        },
    }
    return {**declared, **without_nats({**METRICS, **declared})} if has_own_loss(settings, arms) else declared


def _declared(kind: str, scalars: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    for each in scalars:
        yield measured(f"{kind}.{each['name']}", each["unit"], _BETTER[each["better"]], each["label"])


# A number that is neither is still compared; what the claim says decides its direction.
_BETTER = {"lower": Better.LESS, "higher": Better.MORE, None: Better.LESS}
