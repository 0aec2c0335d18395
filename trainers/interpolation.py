"""The loss on the straight line between two trained networks (arXiv:1412.6544; the barrier: arXiv:1912.05671)."""

from search_spaces.errors import SettingError
from trainers.probes.line import Point, line
from trainers.probes.subject import Bench
from trainers.records import Task
from trainers.weights import Weights


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
