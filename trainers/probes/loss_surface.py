"""The loss around a trained network along random directions, normalised filter by filter (arXiv:1712.09913)."""

from collections.abc import Iterator, Mapping, Sequence
from math import hypot, isfinite
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from search_spaces.annotations import Range
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from trainers.probes.subject import Subject

Grid = dict[tuple[int, int], float]


class LossSurface(Probe):
    """The loss and error on a grid around the trained weights, in evaluation mode, over a fixed choice of images.

    Each direction is drawn from the trial's seed; every filter of it has the norm of the network's own filter, and
    biases and batch normalisations stay as they are. A network of `dimensions` 1 has ``y`` none. The grid has `points`
    a side and goes from minus to plus `radius`; `images` of the training set are used, None for all of them.

    `nonconvex_share` is the share of the inner grid points where the smallest eigenvalue of the Hessian, by
    differences, is negative; `slope` the largest gradient there; `radius` the distance to the nearest point where the
    loss is twice that of the centre or more, that of the grid where there is none.

    dimensions: one line, or a plane.
    points: grid points a side.
    radius: distance from the centre to the grid's edge, in units of the filter-normalised direction.
    images: training images that are used; all without a number.
    """

    title: ClassVar[str] = "Loss surface"
    source: ClassVar[str] = "arXiv:1712.09913"
    places: ClassVar[tuple[Place, ...]] = (
        Place("x", "first direction", continuous=True),
        Place("y", "second direction", continuous=True),
    )
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("loss", "training loss", "nats", log=True),
        Output("error", "training error", "%"),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("nonconvex_share", "share of the surface that is not convex", "%", "lower"),
        Scalar("slope", "steepest slope", "nats", "lower"),
        Scalar("radius", "radius within which the loss stays below twice the centre's", "", "higher"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("loss", ("x", "y"), "Loss surface"),
        View("loss", ("x",), "Slice through the loss surface", {"y": 0.0}),
        View("loss", ("x",), "Loss along one direction", {"y": None}),
    )

    def __init__(
        self,
        *,
        dimensions: Literal[1, 2] = 2,
        points: Annotated[int, Range(low=3)] = 21,
        radius: Annotated[float, Range(low=1e-6)] = 1.0,
        images: Annotated[int, Range(low=1)] | None = 256,
    ) -> None:
        if points % 2 == 0:
            points += 1  # so that the centre is one of them
        self.dimensions = dimensions
        self.points = points
        self.radius = radius
        self.images = images

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield the grid, a line of equal ``y`` a chunk."""
        import torch

        parameters = [each for each in subject.network.parameters() if each.requires_grad]
        centre = [each.detach().clone() for each in parameters]
        along = _direction(parameters, subject.generator(1))
        across = _direction(parameters, subject.generator(2))
        batches = subject.training_images(self.images)
        steps = self._steps()
        lines: list[float | None] = [None] if self.dimensions == 1 else list(steps)
        for y in lines[len(done) // self.points :]:
            rows = []
            for x in steps:
                with torch.no_grad():
                    for parameter, middle, first, second in zip(parameters, centre, along, across, strict=True):
                        parameter.copy_(middle + x * first + (y or 0.0) * second)
                loss, error = subject.score(batches)
                rows.append(Row({"x": x, "y": y}, {"loss": loss if isfinite(loss) else None, "error": error}))
            yield rows

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the three numbers of the surface; None where the centre has no loss."""
        middle, step = self.points // 2, self._step
        grid: Grid = {}
        for row in rows:
            loss, x, y = row.numbers["loss"], row.at["x"], row.at["y"]
            if loss is not None and isinstance(x, float):
                at = round(x / step), round(y / step) if isinstance(y, float) else 0
                grid[at] = loss
        if (0, 0) not in grid:
            return {"nonconvex_share": None, "slope": None, "radius": None}
        inner = list(range(1 - middle, middle))
        places = [(x, y) for x in inner for y in (inner if self.dimensions == 2 else [0])]
        curvatures = [value for at in places if (value := self._curvature(grid, at)) is not None]
        slopes = [value for at in places if (value := self._slope(grid, at)) is not None]
        reach = [hypot(x, y) * step for (x, y), loss in grid.items() if loss >= 2 * grid[0, 0] and (x, y) != (0, 0)]
        return {
            "nonconvex_share": 100 * sum(each < 0 for each in curvatures) / len(curvatures) if curvatures else None,
            "slope": max(slopes, default=None),
            "radius": min(reach, default=self.radius),
        }

    def forward_passes(self, load: Workload) -> float:
        """Return a pass over the images at each point."""
        return float(self.points**self.dimensions * min(self.images or load.train_size, load.train_size))

    @property
    def _step(self) -> float:
        return 2 * self.radius / (self.points - 1)

    def _steps(self) -> list[float]:
        middle = self.points // 2
        return [round(at * self._step, 12) for at in range(-middle, middle + 1)]

    def _curvature(self, grid: Grid, at: tuple[int, int]) -> float | None:
        """Return the smallest eigenvalue of the Hessian at a grid point, by central differences."""
        x, y = at
        along = _second(grid, (x - 1, y), at, (x + 1, y))
        if self.dimensions == 1 or along is None:
            return along
        across = _second(grid, (x, y - 1), at, (x, y + 1))
        corners = [grid.get((x + dx, y + dy)) for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
        if across is None or None in corners:
            return None
        a, b, c, d = (each for each in corners if each is not None)
        mixed = (a - b - c + d) / 4
        return (along + across) / 2 - hypot((along - across) / 2, mixed)

    def _slope(self, grid: Grid, at: tuple[int, int]) -> float | None:
        """Return the length of the gradient at a grid point, by central differences."""
        x, y = at
        along = _first(grid, (x - 1, y), (x + 1, y))
        across = 0.0 if self.dimensions == 1 else _first(grid, (x, y - 1), (x, y + 1))
        return None if along is None or across is None else hypot(along, across) / (2 * self._step)


def _first(grid: Grid, before: tuple[int, int], after: tuple[int, int]) -> float | None:
    return grid[after] - grid[before] if before in grid and after in grid else None


def _second(grid: Grid, before: tuple[int, int], at: tuple[int, int], after: tuple[int, int]) -> float | None:
    if not {before, at, after} <= grid.keys():
        return None
    return grid[before] - 2 * grid[at] + grid[after]


def _direction(parameters: Sequence["nn.Parameter"], generator: "torch.Generator") -> "list[Tensor]":
    """Return a random direction in which each filter, or row of a linear layer, has the norm of the network's own.

    Parameters of one dimension or none (biases, batch normalisations, factors) do not move.
    """
    import torch

    direction = []
    for parameter in parameters:
        drawn = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() < 2:
            direction.append(torch.zeros_like(parameter))
            continue
        wanted = parameter.detach().cpu().flatten(1).norm(dim=1)
        scale = wanted / (drawn.flatten(1).norm(dim=1) + 1e-10)
        moved = drawn * scale.reshape(-1, *[1] * (parameter.dim() - 1))
        direction.append(torch.empty_like(parameter).copy_(moved))
    return direction
