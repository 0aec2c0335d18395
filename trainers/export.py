"""Write a trained network for other programs: its state dict, TorchScript, or ONNX."""

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from search_spaces.errors import SettingError
from trainers.weights import Weights


class FromRawImages(nn.Module):
    """A trained network behind the normalisation of its images: it takes them as the data set has them."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.network = weights.build()
        self.register_buffer("shift", weights.normalisation.shift)
        self.register_buffer("scale", weights.normalisation.scale)

    def forward(self, images: Tensor) -> Tensor:
        """Map raw images (N, C, H, W), as floats, to logits (N, classes)."""
        logits: Tensor = self.network((images - self.get_buffer("shift")) * self.get_buffer("scale"))
        return logits


def to_state_dict(weights: Weights, path: Path) -> None:
    """Write the bare parameters and buffers, for ``torch.load(..., weights_only=True)``."""
    torch.save(dict(weights.state), path)


def to_torchscript(weights: Weights, path: Path) -> None:
    """Write the network, its normalisation included, for ``torch.jit.load``; of any number of images."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # a trace warns of shapes that it takes for constants, and they are
        traced = torch.jit.trace(FromRawImages(weights).eval(), _example(weights))
        traced.save(str(path))


def to_onnx(weights: Weights, path: Path) -> None:
    """Write the network, its normalisation included, as ONNX; SettingError when that needs a missing package."""
    for package in ("onnx", "onnxscript"):
        if find_spec(package) is None:
            raise SettingError(f"onnx needs the package {package}: pip install 'ablation-orchestrator[onnx]'")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            FromRawImages(weights).eval(),
            (_example(weights),),
            str(path),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("images")},),
            dynamo=True,
            external_data=False,
            verbose=False,
        )


FORMATS: Mapping[str, tuple[Callable[[Weights, Path], None], str]] = {
    "state_dict": (to_state_dict, ".pt"),
    "torchscript": (to_torchscript, ".ts"),
    "onnx": (to_onnx, ".onnx"),
}
"""What writes each format, and how its files end."""


def _example(weights: Weights) -> Tensor:
    return torch.zeros(2, *weights.input_shape)
