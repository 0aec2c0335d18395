"""What a network's units are: the parts that repeat along its depth, and how each of them is left out.

A unit is a block: a module with parts of its own that stands in a Sequential or ModuleList beside others of its class,
such as a residual unit, a dense layer, or the block of a network of the user's own. A network without blocks has plain
layers instead: each convolution of a Sequential (each linear layer but the last, where there is no convolution) with
the normalisation and activation behind it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from search_spaces.shortcuts import NoShortcut, Shortcut

Shape = tuple[int, ...]

_WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
_FOLLOWERS = ("torch.nn.modules.activation", "torch.nn.modules.batchnorm", "torch.nn.modules.normalization")


@dataclass(frozen=True)
class NetworkUnit:
    """One unit: the modules that the signal passes in order, and the shapes of one image's signal before and after.

    `branch` is the module whose output is added or appended to a signal that skips it, None where nothing skips the
    unit; `merge` is the shortcut that puts the two together, None where the unit does it itself.
    """

    index: int
    name: str
    modules: tuple[nn.Module, ...]
    branch: nn.Module | None
    merge: Shortcut | None
    in_shape: Shape
    out_shape: Shape

    @property
    def can_be_left_out(self) -> bool:
        """Whether the network still computes without it: something skips it, or it changes no shape."""
        return self.branch is not None or self.in_shape == self.out_shape

    @property
    def kind(self) -> tuple[object, ...]:
        """What must be equal in two units that can stand in each other's place."""
        shapes = tuple(tuple(parameter.shape) for module in self.modules for parameter in module.parameters())
        return (self.in_shape, self.out_shape, *(type(module) for module in self.modules), shapes)


def find_units(network: nn.Module, images: Tensor) -> tuple[NetworkUnit, ...]:
    """Return the units of a network in the order in which the signal passes them; none where nothing repeats.

    One forward pass of `images` (N, C, H, W), in evaluation mode, finds the order and the shapes.
    """
    names = {module: name for name, module in network.named_modules()}
    candidates = [(each,) for each in blocks(network)] or _plain_layers(network)
    if len(candidates) < 2:
        return ()
    order = _passed(network, images, candidates)
    return tuple(
        NetworkUnit(index, names[modules[0]], modules, *_paths(modules[0]), in_shape, out_shape)
        for index, (modules, in_shape, out_shape) in enumerate(order)
    )


def blocks(network: nn.Module) -> list[nn.Module]:
    """Return the outermost modules with parts of their own that stand beside others of their class."""
    modules: list[nn.Module] = []
    inside: set[nn.Module] = set()
    for module in network.modules():
        if module in inside or not isinstance(module, nn.Sequential | nn.ModuleList):
            continue
        for child in module:
            is_block = any(True for _ in child.children()) and not isinstance(child, nn.Sequential | nn.ModuleList)
            if is_block and child not in inside:
                modules.append(child)
                inside.update(child.modules())
    counts = Counter(type(each) for each in modules)
    return [each for each in modules if counts[type(each)] > 1]


@contextmanager
def left_out(units: Iterable[NetworkUnit]) -> Iterator[None]:
    """Compute without these units inside the block: a skipped branch adds nothing, another unit passes its input on.

    Raises ValueError for a unit that cannot be left out.
    """
    with ExitStack() as stack:
        for unit in units:
            if not unit.can_be_left_out:
                raise ValueError(f"{unit.name} changes the shape of its signal, and nothing skips it")
            if unit.branch is None:
                for module in unit.modules:
                    stack.enter_context(_passing_on(module))
            else:
                stack.callback(unit.branch.register_forward_hook(_silence).remove)
        yield


@contextmanager
def swapped(network: nn.Module, pairs: Sequence[tuple[NetworkUnit, NetworkUnit]]) -> Iterator[None]:
    """Let the two units of each pair stand in each other's place inside the block.

    Raises ValueError for units that differ in kind, or that are more than one module.
    """
    for one, other in pairs:
        if one.kind != other.kind or len(one.modules) > 1:
            raise ValueError(f"{one.name} and {other.name} cannot stand in each other's place")
    try:
        for one, other in pairs:
            _exchange(network, one, other)
        yield
    finally:
        for one, other in pairs:
            _place(network, one.name, one.modules[0])
            _place(network, other.name, other.modules[0])


def _exchange(network: nn.Module, one: NetworkUnit, other: NetworkUnit) -> None:
    first, second = network.get_submodule(one.name), network.get_submodule(other.name)
    _place(network, one.name, second)
    _place(network, other.name, first)


def _place(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    network.get_submodule(parent).register_module(child, module)


@contextmanager
def _passing_on(module: nn.Module) -> Iterator[None]:
    """Let a module return its input as it is; a hook would come after a ReLU that works in place."""
    before = vars(module).get("forward")
    module.forward = _identity
    try:
        yield
    finally:
        del module.forward
        if before is not None:
            module.forward = before


def _identity(x: Tensor) -> Tensor:
    return x


def _silence(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return torch.zeros_like(output)


def _paths(module: nn.Module) -> tuple[nn.Module | None, Shortcut | None]:
    """Return a block's residual branch and its shortcut, as the units of `search_spaces` name them."""
    branch, merge = getattr(module, "branch", None), getattr(module, "merge", None)
    if isinstance(merge, NoShortcut) or not isinstance(branch, nn.Module):
        return None, None
    return branch, merge if isinstance(merge, Shortcut) else None


def _plain_layers(network: nn.Module) -> list[tuple[nn.Module, ...]]:
    """Return each layer with a weight, and the normalisation and activation behind it in its Sequential."""
    groups: list[tuple[nn.Module, ...]] = []
    for sequence in network.modules():
        if not isinstance(sequence, nn.Sequential):
            continue
        group: list[nn.Module] = []
        for child in sequence:
            if isinstance(child, _WEIGHTED) or (group and _follows(child)):
                if isinstance(child, _WEIGHTED) and group:
                    groups.append(tuple(group))
                    group = []
                group.append(child)
            elif group:
                groups.append(tuple(group))
                group = []
        groups += [tuple(group)] if group else []
    convolutions = [group for group in groups if not isinstance(group[0], nn.Linear)]
    last = next((each for each in reversed(list(network.modules())) if isinstance(each, nn.Linear)), None)
    return convolutions or [group for group in groups if group[0] is not last]


def _follows(module: nn.Module) -> bool:
    return isinstance(module, _BatchNorm) or type(module).__module__ in _FOLLOWERS


def _passed(
    network: nn.Module, images: Tensor, candidates: Sequence[tuple[nn.Module, ...]]
) -> list[tuple[tuple[nn.Module, ...], Shape, Shape]]:
    """Run the network once; return the candidates in the order of their passing, with their shapes.

    A candidate that takes or returns anything but one tensor, or that is not passed, is no unit.
    """
    entered: dict[nn.Module, Shape] = {}
    passed: dict[nn.Module, tuple[Shape, Shape]] = {}
    starts = {modules[-1]: modules[0] for modules in candidates}

    def enter(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if len(inputs) == 1 and isinstance(inputs[0], Tensor):
            entered.setdefault(module, tuple(inputs[0].shape[1:]))

    def leave(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        first = starts[module]
        if first in entered and isinstance(output, Tensor):
            passed.setdefault(first, (entered[first], tuple(output.shape[1:])))

    was_training = network.training
    handles = [modules[0].register_forward_pre_hook(enter) for modules in candidates]
    handles += [modules[-1].register_forward_hook(leave) for modules in candidates]
    try:
        with torch.no_grad():
            network.eval()(images)
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()
    by_first = {modules[0]: modules for modules in candidates}
    return [(by_first[first], *shapes) for first, shapes in passed.items()]
