"""One pass through a network on the meta device, written down: every operation with its shapes, constants and sources.

No arithmetic is done and no memory is used, so that the largest network takes a second or two.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from search_spaces.trace_shapes import SHORT_CUTS

# Operations that overwrite a tensor: earlier steps of its initialisation no longer matter.
_OVERWRITING = frozenset({"normal_", "uniform_", "fill_", "zero_", "copy_", "full", "zeros", "ones", "empty"})
# Operations that change no value; a trace leaves them out and the hash does not see them.
_SILENT = frozenset({"alias"})


@dataclass(frozen=True)
class Operation:
    """One operation: its name, constant arguments, and where its tensors come from.

    A source is the number of an earlier operation, or the name of a parameter, buffer or ``images``. `section` is the
    module under which it ran.
    """

    name: str
    constants: tuple[str, ...]
    sources: tuple[int | str, ...]
    source_shapes: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    section: str


@dataclass(frozen=True)
class Trace:
    """A network's operations in order (training mode, one image shape), and how each parameter starts.

    `output` is the shape that it returns and `dtype` their type, None where that is no tensor. `behaviour` tells the
    values of a network of the user's own (`search_spaces.behaviour`); those of all others follow from `starts`.
    """

    operations: tuple[Operation, ...]
    parameters: Mapping[str, tuple[int, ...]]
    starts: Mapping[str, tuple[str, ...]]
    output: tuple[int, ...] | None
    behaviour: str = ""
    dtype: torch.dtype | None = None


def trace(build: Callable[[], nn.Module], input_shape: tuple[int, int, int], batch: int = 2) -> Trace:
    """Build a network on the meta device and record its initialisation and one forward pass in training mode."""
    recorder = _Recorder()
    with torch.device("meta"), recorder, torch.no_grad():
        network = build().train()
        starts = recorder.begin(network, torch.empty((batch, *input_shape)))
        with _sections(network, recorder):
            output = network(recorder.images)
    shapes = {name: tuple(parameter.shape) for name, parameter in network.named_parameters()}
    if not isinstance(output, Tensor):
        return Trace(tuple(recorder.operations), shapes, starts, None)
    return Trace(tuple(recorder.operations), shapes, starts, tuple(output.shape), dtype=output.dtype)


class _Recorder(TorchDispatchMode):
    """Notes how tensors are initialised while a network is built, then, after `begin`, every operation."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own, without types
        self.operations: list[Operation] = []
        self.section = ""
        self.images: Tensor
        self._keep: list[Tensor] = []  # storages stay alive, so that their addresses stay theirs
        self._starts: dict[int, list[str]] = {}
        self._sources: dict[int, int | str] | None = None

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nobody compiles a trace, and torch would import its compiler to say so: a second for nothing

    def begin(self, network: nn.Module, images: Tensor) -> dict[str, tuple[str, ...]]:
        """Turn from building to running; return how each parameter and buffer starts."""
        self.images = images
        named = [*network.named_parameters(), *network.named_buffers()]
        self._sources = {id(tensor): name for name, tensor in named}
        self._sources[id(images)] = "images"
        self._keep += [tensor for _, tensor in named]
        return {name: tuple(self._starts.get(_storage(tensor), ())) for name, tensor in named}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        name: str = func.overloadpacket.__name__
        sources = None if self._sources is None else [self._source(each) for each in _tensors(args, kwargs)]
        shapes = () if sources is None else tuple(tuple(each.shape) for each in _tensors(args, kwargs))
        short_cut = None if kwargs else SHORT_CUTS.get(name)
        result = None if short_cut is None else short_cut(*args)
        if result is None:
            result = func(*args, **kwargs)
        first = result[0] if isinstance(result, tuple | list) else result
        if not isinstance(first, Tensor) or first.numel() == 0:
            return result
        self._keep.append(first)
        if self._sources is None or sources is None:
            self._note_start(name, first, args, kwargs)
        elif name in _SILENT:
            self._sources[id(first)] = sources[0]
        else:
            self._note_operation(name.rstrip("_"), sources, shapes, _constants(args, kwargs), result)
        return result

    def _note_start(self, name: str, tensor: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        steps = self._starts.setdefault(_storage(tensor), [])
        if name in _OVERWRITING:
            steps.clear()
        if name not in _SILENT and name != "empty":
            steps.append("fill_ 0.0" if name == "zero_" else " ".join((name, *_constants(args, kwargs))))

    def _note_operation(
        self,
        name: str,
        sources: list[int | str],
        shapes: tuple[tuple[int, ...], ...],
        constants: tuple[str, ...],
        result: Any,
    ) -> None:
        assert self._sources is not None
        several = list(result) if isinstance(result, tuple | list) else [result]
        for each in several:
            if isinstance(each, Tensor):
                self._keep.append(each)
                self._sources[id(each)] = len(self.operations)
        shape = tuple(several[0].shape)
        self.operations.append(Operation(name, constants, tuple(sources), shapes, shape, self.section))

    def _source(self, tensor: Tensor) -> int | str:
        assert self._sources is not None
        return self._sources.get(id(tensor), "constant")


@contextmanager
def _sections(network: nn.Module, recorder: _Recorder) -> Iterator[None]:
    """Name the section of each operation after the child, or the stage, of the network that it runs in."""
    handles = []
    for name, module in sections(network):

        def enter(_module: nn.Module, _inputs: Any, name: str = name) -> None:
            recorder.section = name

        def leave(_module: nn.Module, _inputs: Any, _output: Any) -> None:
            recorder.section = ""

        handles += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def sections(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the parts that a network is described by: its children, ``stages`` taken apart as stage1, stage2, ..."""
    parts: list[tuple[str, nn.Module]] = []
    for name, child in network.named_children():
        if name == "stages":
            parts += [(f"stage{number}", stage) for number, stage in enumerate(child.children(), start=1)]
        else:
            parts.append((name, child))
    return parts


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _tensors(args: Any, kwargs: Mapping[str, Any]) -> Iterator[Tensor]:
    for each in (*args, *kwargs.values()):
        if isinstance(each, Tensor):
            yield each
        elif isinstance(each, tuple | list):
            yield from _tensors(each, {})


def _constants(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    plain = [repr(each) for each in args if not _holds_tensor(each)]
    skipped = ("device", "layout", "dtype", "pin_memory", "memory_format", "generator")
    plain += [f"{key}={each!r}" for key, each in kwargs.items() if key not in skipped and not _holds_tensor(each)]
    return tuple(plain)


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (
        isinstance(value, tuple | list) and any(isinstance(each, Tensor) for each in value)
    )
