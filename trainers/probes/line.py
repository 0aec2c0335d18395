"""The networks on the straight line from one network to another, and what each of them loses."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from trainers.probes.subject import Subject


@dataclass(frozen=True)
class Point:
    """A network between two others: the second's share of its weights, and its training loss (nats) and error (%).

    `above_line` is by how much the loss exceeds the same mixture of the two networks' losses; its largest value along
    the line is the barrier between them.
    """

    share: float
    loss: float
    error: float
    above_line: float


def line(subject: Subject, other: Mapping[str, Tensor], points: int, images: int | None) -> tuple[Point, ...]:
    """Return networks from the subject's, whose weights are the last one's after that, to the `other` state."""
    first = {name: tensor.clone() for name, tensor in subject.network.state_dict().items()}
    second = {name: tensor.to(subject.device) for name, tensor in other.items()}
    shares = [at / (points - 1) for at in range(points)]
    scores = []
    for share in shares:
        subject.network.load_state_dict(_mixed(first, second, share))
        scores.append(subject.score(subject.training_images(images)))
    start, end = scores[0][0], scores[-1][0]
    return tuple(
        Point(share, loss, error, loss - (1 - share) * start - share * end)
        for share, (loss, error) in zip(shares, scores, strict=True)
    )


def _mixed(first: Mapping[str, Tensor], second: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Return the weighted mean of two states; at its ends they are exactly the two."""
    if share in (0, 1):
        return dict(second if share else first)
    return {
        name: (1 - share) * tensor + share * second[name] if tensor.is_floating_point() else tensor
        for name, tensor in first.items()
    }
