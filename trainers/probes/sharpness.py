"""The largest eigenvalues of the loss's Hessian at the trained weights, by Lanczos' method."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from search_spaces.annotations import Positive, Range
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, View, Workload

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from trainers.probes.subject import Subject


class Sharpness(Probe):
    """The `count` largest eigenvalues of the Hessian of the mean training loss, in evaluation mode.

    `steps` steps of Lanczos' method with full reorthogonalisation, over `images` training images; `residual` is
    ‖Hv − λv‖ / |λ| for the eigenvector v that was found, a bound on the relative error of λ.

    count: how many eigenvalues.
    steps: steps of Lanczos' method.
    images: training images that are used.
    """

    title: ClassVar[str] = "Sharpness"
    source: ClassVar[str] = "arXiv:1706.04454; Lanczos 1950"
    places: ClassVar[tuple[Place, ...]] = (Place("rank", "rank"),)
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("eigenvalue", "eigenvalue of the Hessian", log=True),
        Output("residual", "relative residual", log=True),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("largest", "largest eigenvalue of the Hessian", "", "lower"),
        Scalar("residual", "relative residual of the largest eigenvalue", "", "lower"),
    )
    views: ClassVar[tuple[View, ...]] = (View("eigenvalue", ("rank",), "Largest eigenvalues of the Hessian"),)

    def __init__(
        self,
        *,
        count: Positive = 3,
        steps: Annotated[int, Range(low=2)] = 16,
        images: Annotated[int, Range(low=1)] = 256,
    ) -> None:
        self.count = count
        self.steps = max(steps, count)
        self.images = images

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield a row for each eigenvalue, the largest first."""
        import torch

        product, size = _hessian(subject, self.images)
        start = torch.randn(size, generator=subject.generator(), dtype=torch.float64)
        values, vectors = _lanczos(product, start, min(self.steps, size))
        rows = []
        for rank, at in enumerate(values.argsort(descending=True)[: self.count].tolist(), start=1):
            value, vector = float(values[at]), vectors[at]
            gap = float((product(vector) - value * vector).norm())
            residual = gap / abs(value) if value else None
            rows.append(Row({"rank": rank}, {"eigenvalue": value, "residual": residual}))
        yield rows

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the largest eigenvalue and its residual."""
        first = next((row.numbers for row in rows if row.at["rank"] == 1), {})
        return {"largest": first.get("eigenvalue"), "residual": first.get("residual")}

    def forward_passes(self, load: Workload) -> float:
        """Return a pass forward, one backward, and one backward through that, for each product with the Hessian."""
        return 7.0 * (self.steps + self.count) * min(self.images, load.train_size)


def _hessian(subject: "Subject", images: int) -> "tuple[Callable[[Tensor], Tensor], int]":
    """Return the product of the Hessian with a vector (float64, on the CPU), and the number of parameters."""
    import torch
    from torch.nn.utils import parameters_to_vector

    parameters = [each for each in subject.network.parameters() if each.requires_grad]
    batches = subject.training_images(images)
    total = sum(len(labels) for _, labels in batches)
    sizes = [each.numel() for each in parameters]

    def product(vector: "Tensor") -> "Tensor":
        parts = torch.split(vector.to(parameters[0]), sizes)
        along = [part.view_as(each) for part, each in zip(parts, parameters, strict=True)]
        summed = torch.zeros(sum(sizes), dtype=torch.float64)
        for inputs, labels in batches:
            loss = subject.loss(inputs, labels, "sum") / total
            first = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
            slope = torch.stack([(one * other).sum() for one, other in zip(first, along, strict=True)]).sum()
            second = torch.autograd.grad(slope, parameters, materialize_grads=True)
            summed += parameters_to_vector([each.contiguous() for each in second]).detach().double().cpu()
        return summed

    return product, sum(sizes)


def _lanczos(product: "Callable[[Tensor], Tensor]", start: "Tensor", steps: int) -> "tuple[Tensor, Tensor]":
    """Return the Ritz values of a symmetric matrix, and a Ritz vector for each, as rows."""
    import torch

    basis = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    for step in range(steps):
        image = product(basis[-1])
        diagonal.append(float(image @ basis[-1]))
        for _ in range(2):  # once is not enough where eigenvalues have converged
            for each in basis:
                image = image - (image @ each) * each
        length = float(image.norm())
        if step + 1 == steps or length < 1e-10 * abs(max(diagonal, key=abs)):
            break
        beside.append(length)
        basis.append(image / length)
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    for at, value in enumerate(beside[: len(diagonal) - 1]):
        matrix[at, at + 1] = matrix[at + 1, at] = value
    values, vectors = torch.linalg.eigh(matrix)
    ritz = vectors.T @ torch.stack(basis[: len(diagonal)])
    return values, ritz / ritz.norm(dim=1, keepdim=True)
