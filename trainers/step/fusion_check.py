"""Whether a pack's replicas may compute as one network: what speaks against it, and where tests cannot tell, two steps.

The built-in families are compared by the tests. A network of the user's own may hold whatever Python allows, so its
fused form is compared with the replicas before it is used: losses, gradients (as velocities), updated weights and
running statistics over two steps, then an evaluation; in double precision, so that rounding hides nothing.
"""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from search_spaces.arm import canonical_json
from trainers.seeding import seeded
from trainers.step import fusion
from trainers.step.evaluation import evaluate
from trainers.step.observation import StepWatch
from trainers.step.optim import SGD
from trainers.step.replica import Replica
from trainers.step.replica_group import ReplicaGroup
from trainers.step.stopwatch import Stopwatch

IMAGES = 4
RATE = 0.01
TOLERANCE = 1e-6  # of the largest value of a tensor; rounding alone makes about 1e-15

_COMPARED: dict[tuple[Any, ...], str | None] = {}  # what comparisons of this process found, by network and images


def fusion_obstacle(replicas: Sequence[Replica]) -> str | None:
    """Return why `replicas`, two or more, have to train apart; None where they may compute as one network."""
    reason = fusion.obstacle([each.network for each in replicas])
    task, info = replicas[0].task, replicas[0].info
    if reason is not None or ":" not in str(task.network["family"]):
        return reason
    if any(repr(each.network) != repr(replicas[0].network) for each in replicas[1:]):
        return "the seeds' networks differ in structure"
    key = canonical_json(task.network), canonical_json(task.training), info.input_shape, info.num_classes
    if key not in _COMPARED:
        _COMPARED[key] = _compare(replicas[:2])
    return _COMPARED[key]


def _compare(replicas: Sequence[Replica]) -> str | None:
    try:
        with seeded(0, "dropout", device=replicas[0].numerics.device):
            return _difference(replicas)
    except Exception as error:  # whatever the user's own code raises in double precision or side by side
        return f"a step of the fused network raised {type(error).__name__}: {error}".strip()


def _difference(replicas: Sequence[Replica]) -> str | None:
    together, apart = [_copy(each) for each in replicas], [_copy(each) for each in replicas]
    fused = fusion.fuse([each.network for each in together])
    assert fused is not None
    for each in (*together, *apart):
        each.network.double()
        each.optimiser = SGD(each.network, each.training)  # whose velocities show the gradients
    numerics = replace(replicas[0].numerics, precision="fp32")
    watch = Stopwatch(numerics.device, False)
    training = {key: value for key, value in replicas[0].training.items() if key != "optimizer"}
    group = ReplicaGroup(together, fused.double(), training, numerics, watch)
    alone = [ReplicaGroup([each], each.network, training, numerics, watch) for each in apart]
    observed = StepWatch(apart[0].network, numerics.device)
    for step in range(2):
        batches = [_batch(replicas[0], 10 * step + at) for at in range(len(replicas))]
        for own, batch in zip(alone, batches, strict=True):
            own.begin()
            own.step(own.join([batch]), RATE, RATE)
            own.end()
        if reason := observed.obstacle():
            return reason
        group.begin()
        group.step(group.join(batches), RATE, RATE)
        group.end()
        for one, other in zip(together, apart, strict=True):
            reason = _first_difference(_tensors(one), _tensors(other))
            if reason is not None:
                return (
                    f"after {step + 1} fused step{'s' if step else ''}, {reason} is not what a replica alone computes"
                )
    images = _batch(replicas[0], 99)
    scores = evaluate(fused, [images], len(replicas), numerics.lay_out)
    for score, replica in zip(scores, apart, strict=True):
        (expected,) = evaluate(replica.network, [images], 1, numerics.lay_out)
        if not _close(torch.tensor([score.loss or 0.0]), torch.tensor([expected.loss or 0.0])):
            return "the fused network is not evaluated as a replica alone is"
    return None


def _copy(replica: Replica) -> Replica:
    result = copy.copy(replica)
    result.network = copy.deepcopy(replica.network)
    return result


def _batch(replica: Replica, number: int) -> tuple[Tensor, Tensor]:
    """Return random images and labels; the last classes are rarely seen, and need not be."""
    generator, device = torch.Generator().manual_seed(number), replica.numerics.device
    images = torch.randn(IMAGES, *replica.info.input_shape, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, replica.info.num_classes, (IMAGES,), generator=generator)
    return images.to(device), labels.to(device)


def _tensors(replica: Replica) -> dict[str, Tensor]:
    names = (name for name, each in replica.network.named_parameters() if each.requires_grad)
    gradients = {
        f"the gradient of {name}": each for name, each in zip(names, replica.optimiser.velocities, strict=True)
    }
    state = replica.network.state_dict()
    return {**gradients, **{name: each for name, each in state.items() if not name.endswith("num_batches_tracked")}}


def _first_difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> str | None:
    return next((name for name, value in one.items() if not _close(value, other[name])), None)


def _close(one: Tensor, other: Tensor) -> bool:
    scale = float(other.abs().nan_to_num(0.0, 0.0, 0.0).max()) if other.numel() else 0.0
    return torch.allclose(one.double(), other.double(), rtol=0.0, atol=TOLERANCE * max(scale, 1e-12), equal_nan=True)
