"""Every probe measures every kind of network, or says in one line why it cannot; and finds the same again."""

import pytest
import torch

from tests.trainers.probes.conftest import SEED, bench_of, weights_of
from trainers.probes import PROBES, complete_probes
from trainers.probes.session import ProbeLog, ProbeSession
from trainers.probes.subject import Partner

QUICK = {
    "loss_surface": {"points": 3, "images": 32},
    "sharpness": {"images": 32, "steps": 3, "count": 1},
    "identity_distance": {"images": 32},
    "lesion": {"draws": 1},
    "layer_response": {"images": 32},
    "interpolation": {"points": 3, "images": 32},
    "path_gradient": {"draws": 1},
}
NETWORKS = {
    "dropout on the shortcut": (("shortcut", (("op", "dropout"), ("rate", 0.5))),),
    "gates": (("shortcut", "exclusive_gate"),),
    "pre-activation": (("activation", "full_preact"), ("depth", 20), ("block", "bottleneck")),
    "plain": (("shortcut", "none"),),
    "highway": (("family", "highway"), ("depth", 8), ("width", 4)),
    "densenet": (("family", "densenet"), ("depth", 7), ("growth", 4)),
    "vgg": (("family", "vgg"), ("depth", 11), ("width", 2), ("hidden", 8)),
    "nothing repeats": (("family", "tests.trainers.probes.flat:build"),),
    "of the user's own": (("family", "tests.trainers.probes.own_network:build"),),
}
REASONS = {
    "needs units": "{} needs units, parts of one class that stand in a Sequential or ModuleList; this network has none",
    "needs layers": "{} needs a convolution, or a linear layer before the last one; this network has neither",
    "needs shapes": "identity_distance needs units that keep the shape of their signal; this network has none",
    "needs paths": "path_gradient needs residual units, whose branch is added to a shortcut by a module of its own",
}
REFUSED = {
    **{("nothing repeats", kind): "needs units" for kind, probe in PROBES.items() if probe.needs_units},
    ("nothing repeats", "layer_response"): "needs layers",
    ("densenet", "identity_distance"): "needs shapes",
    **{(name, "path_gradient"): "needs paths" for name in ("plain", "highway", "densenet", "vgg", "of the user's own")},
}


@pytest.mark.parametrize("kind", PROBES)
@pytest.mark.parametrize("name", NETWORKS)
def test_it_is_measured_or_the_reason_is_one_line(name, kind):
    bench = bench_of(*NETWORKS[name])
    # Training once more takes the longest by far, and only dropout draws something there.
    more = {"retrain": 1} if kind == "identity_distance" and "dropout" in name else {}
    weights = weights_of(bench)
    found = []
    for state in (1, 2):  # of whatever else draws in the process
        torch.manual_seed(state)
        request = complete_probes([{"name": kind, **QUICK.get(kind, {}), **more}])
        session = ProbeSession(bench, request, 2, ProbeLog(None), {SEED: Partner(9, weights)})
        found += [each.values for each in session.conclude(SEED, weights, 2) if each is not None]
    if (reason := REFUSED.get((name, kind))) is not None:
        assert found[0].get("failed") == REASONS[reason].format(kind)
    else:
        assert "failed" not in found[0]
        assert found[0]["rows"]
        assert any(value is not None for value in found[0]["scalars"].values())
    assert found[0] == found[1]
