"""What a family of networks is: how it completes its settings, builds a network, and describes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from search_spaces.drawing import UnitDrawing

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Family:
    """How a family completes its settings, builds a network from completed ones, and describes them.

    `settings` is the class whose fields they are. `words` puts them in sentences, `draw_unit` draws what the network
    repeats (None where it is not known), and `units` says how often each of its stages does.
    """

    complete: Callable[[Mapping[str, Any]], dict[str, Any]]
    build: Callable[[Mapping[str, Any], Shape, int], nn.Module]
    words: Callable[[Mapping[str, Any]], list[str]]
    draw_unit: Callable[[Mapping[str, Any]], UnitDrawing | None] = lambda settings: None
    units: Callable[[Mapping[str, Any]], tuple[int, ...]] = lambda settings: ()
    settings: Callable[..., object] | None = None
