"""How much of the gradient each length of path carries through a residual network (arXiv:1605.06431, section 4.3)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import exp, isfinite, lgamma, log
from statistics import fmean
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from search_spaces.annotations import Positive, Range
from search_spaces.errors import SettingError
from trainers.probes.probe import Output, Place, Probe, Row, Scalar, Value, View, Workload

if TYPE_CHECKING:
    from torch import Tensor, nn

    from search_spaces.shortcuts import Shortcut
    from trainers.probes.subject import Subject


class PathGradient(Probe):
    """The gradient at the input of the first residual unit that comes back along single paths through the units.

    A path of length k goes through the residual branches of k units and past the others, along their shortcuts. For
    every length `draws` paths are drawn at random, each unit set being as likely as any other; `gradient_norm` is the
    L2 norm of the gradient of the mean loss over `images` training images, in evaluation mode, along that path alone.
    `share` is the mean norm times the number of paths of that length, in per cent of the sum over all lengths.

    draws: paths of each length.
    images: training images of the batch.
    """

    title: ClassVar[str] = "Gradient by path length"
    source: ClassVar[str] = "arXiv:1605.06431, section 4.3"
    places: ClassVar[tuple[Place, ...]] = (
        Place("length", "path length in units"),
        Place("draw", "draw"),
        Place("through", "units whose branch the path takes"),
    )
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("gradient_norm", "norm of the gradient along one path", log=True),
        Output("share", "share of the gradient", "%"),
    )
    scalars: ClassVar[tuple[Scalar, ...]] = (
        Scalar("mean_length", "mean path length, weighted by the gradient"),
        Scalar("relative_length", "mean path length over the number of residual units", "%"),
        Scalar("longest", "length up to which paths carry 95 % of the gradient"),
    )
    views: ClassVar[tuple[View, ...]] = (
        View("gradient_norm", ("length",), "Gradient along one path"),
        View("share", ("length",), "Gradient of all paths of a length"),
    )
    needs_units: ClassVar[bool] = True

    def __init__(self, *, draws: Positive = 3, images: Annotated[int, Range(low=1)] = 32) -> None:
        self.draws = draws
        self.images = images

    def measure(self, subject: "Subject", done: Sequence[Row]) -> Iterator[list[Row]]:
        """Yield the draws of one length a chunk, and at last the shares."""
        import torch

        merges = {unit.index: unit.merge for unit in subject.units if unit.merge is not None}
        if not merges:
            raise SettingError(
                "path_gradient needs residual units, whose branch is added to a shortcut by a module of its own"
            )
        batches = subject.training_images(self.images)
        known = list(done)
        if any(row.at["draw"] is None for row in done):
            return
        for length in range(len({row.at["length"] for row in done}), len(merges) + 1):
            rows = []
            # There is one path past all units, and one through all.
            for draw in range(self.draws if 0 < length < len(merges) else 1):
                generator = subject.generator(1000 * length + draw)
                order = torch.randperm(len(merges), generator=generator)[:length].tolist()
                through = sorted(list(merges)[at] for at in order)
                norm = float(path_gradient(subject, merges, through, batches).norm())
                # In the digits that are kept, so that a measurement that goes on finds the same shares.
                kept = float(f"{norm:.8g}") if isfinite(norm) else None
                place: dict[str, Value] = {"length": length, "draw": draw, "through": through}
                rows.append(Row(place, {"gradient_norm": kept, "share": None}))
            known += rows
            yield rows
        shares = _shares(known, len(merges))
        yield [
            Row({"length": length, "draw": None, "through": None}, {"gradient_norm": None, "share": share})
            for length, share in shares.items()
        ]

    def summarise(self, rows: Sequence[Row]) -> Mapping[str, float | None]:
        """Return the weighted mean of the lengths, and the length that 95 % of the gradient does not exceed."""
        shares = {row.count("length"): share for row in rows if (share := row.numbers["share"]) is not None}
        if not shares:
            return {"mean_length": None, "relative_length": None, "longest": None}
        mean = sum(length * share for length, share in shares.items()) / sum(shares.values())
        longest, held = 0, 0.0
        for length, share in sorted(shares.items()):
            longest, held = length, held + share
            if held >= 95:
                break
        return {
            "mean_length": mean,
            "relative_length": 100 * mean / max(shares),
            "longest": float(longest),
        }

    def forward_passes(self, load: Workload) -> float:
        """Return a forward and a backward pass for each path."""
        paths = self.draws * max(load.units - 1, 0) + 2
        return 3.0 * paths * min(self.images, load.train_size)


def path_gradient(
    subject: "Subject",
    merges: "Mapping[int, Shortcut]",
    through: Sequence[int],
    batches: "Sequence[tuple[Tensor, Tensor]]",
) -> "Tensor":
    """Return the gradient of the mean loss at the first merging unit's input along one path, image by image."""
    import torch

    total = sum(len(labels) for _, labels in batches)
    first = next(unit.modules[0] for unit in subject.units if unit.index in merges)
    parts = []
    for images, labels in batches:
        with _along(first, merges, through) as entered:
            loss = subject.loss(images, labels, reduction="sum") / total
            (gradient,) = torch.autograd.grad(loss, entered, materialize_grads=True)
        parts.append(gradient.double())
    return torch.cat(parts)


@contextmanager
def _along(first: "nn.Module", merges: "Mapping[int, Shortcut]", through: Sequence[int]) -> "Iterator[list[Tensor]]":
    """Let the gradient come back along one path inside the block; what enters the first unit joins the list."""
    entered: list[Tensor] = []

    def enter(module: "nn.Module", inputs: "tuple[Tensor, ...]") -> "Tensor":
        # A copy, since the first unit may work in place on what it is given.
        entered.append(inputs[0].detach().requires_grad_())
        return entered[0].clone()

    def by_branch(module: "nn.Module", inputs: "tuple[Tensor, ...]") -> Any:
        return inputs[0].detach(), inputs[1]

    def by_shortcut(module: "nn.Module", inputs: "tuple[Tensor, ...]") -> Any:
        return inputs[0], inputs[1].detach()

    handles = [first.register_forward_pre_hook(enter)]
    for index, merge in merges.items():
        handles.append(merge.register_forward_pre_hook(by_branch if index in through else by_shortcut))
    try:
        yield entered
    finally:
        for handle in handles:
            handle.remove()


def _shares(rows: Sequence[Row], units: int) -> dict[int, float]:
    """Return each length's share of the gradient in per cent: its paths' number times their mean norm."""
    norms: dict[int, list[float]] = {}
    for row in rows:
        if (norm := row.numbers["gradient_norm"]) is not None:
            norms.setdefault(row.count("length"), []).append(norm)
    means = {length: fmean(mine) for length, mine in norms.items()}
    # In logarithms: hundreds of units have more paths than a float can count.
    weights = {
        length: lgamma(units + 1) - lgamma(length + 1) - lgamma(units - length + 1) + log(mean)
        for length, mean in means.items()
        if mean > 0
    }
    most = max(weights.values(), default=0.0)
    total = sum(exp(weight - most) for weight in weights.values())
    shares = {length: 100 * exp(weight - most) / total for length, weight in weights.items()}
    return {length: shares.get(length, 0.0) for length in means} if shares else {}
