"""The loss on the straight line between two trained networks (arXiv:1412.6544; the barrier: arXiv:1912.05671)."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from search_spaces.errors import SettingError
from trainers.probes.subject import Bench, Subject
from trainers.records import Task
from trainers.weights import Weights


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


def interpolate(
    task: Task, first: Weights, second: Weights, points: int = 11, images: int | None = None, device: str = "cpu"
) -> tuple[Point, ...]:
    """Return networks from the first to the second, in evaluation mode on a fixed choice of training images.

    All weights are mixed, the running statistics of batch normalisation too; what is counted stays the first's.
    `images` limits the images, None takes the whole training set. SettingError for fewer than 3 points, and for
    networks whose weights differ in name or shape.
    """
    if points < 3:
        raise SettingError(f"points must be at least 3, both networks and one between them, not {points}", ("points",))
    shapes = [{name: each.shape for name, each in weights.state.items()} for weights in (first, second)]
    if shapes[0] != shapes[1]:
        raise SettingError("networks can be interpolated only where their weights have the same names and shapes")
    subject = Bench.of(task, device, 1).subject(first.seed, first.state, first.epoch)
    with subject.computing():
        return line(subject, second.state, points, images)


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
