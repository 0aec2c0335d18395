"""The networks of the benchmarks, put together from the blocks of torchvision and timm."""

from collections.abc import Mapping
from typing import Any

from torch import nn
from torchvision.models.resnet import BasicBlock, Bottleneck

from trainers import DataInfo


def library_network(network: Mapping[str, Any], info: DataInfo) -> nn.Module:
    """Return the same depth and width: from timm where activations come first, which torchvision has not.

    Shapes change by projections instead of padding. Raises ModuleNotFoundError where timm is needed and not installed.
    """
    return timm_network(network, info) if network["activation"] == "full_preact" else torchvision_network(network, info)


def torchvision_network(network: Mapping[str, Any], info: DataInfo) -> nn.Module:
    """Return torchvision's blocks behind a stem for small images."""
    block, convolutions = (Bottleneck, 3) if network["block"] == "bottleneck" else (BasicBlock, 2)
    units = (network["depth"] - 2) // (3 * convolutions)
    channels, width = network["width"], network["width"]
    layers: list[nn.Module] = [
        nn.Conv2d(info.input_shape[0], channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    ]
    for stage in range(3):
        planes = width * 2**stage
        for unit in range(units):
            stride, out = 2 if stage and not unit else 1, planes * block.expansion
            change = stride > 1 or channels != out
            projection = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
            layers.append(block(channels, planes, stride, projection if change else None))
            channels = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, info.num_classes))


def timm_network(network: Mapping[str, Any], info: DataInfo) -> nn.Module:
    """Return timm's pre-activated bottlenecks with batch norms, behind a stem for small images."""
    from timm.layers import BatchNormAct2d, create_conv2d
    from timm.models.resnetv2 import ResNetV2

    width, units = network["width"], (network["depth"] - 2) // 9
    model: nn.Module = ResNetV2(
        layers=[units] * 3,
        channels=[4 * width, 8 * width, 16 * width],
        num_classes=info.num_classes,
        in_chans=info.input_shape[0],
        stem_chs=width,
        conv_layer=create_conv2d,
        norm_layer=BatchNormAct2d,
    )
    model.stem = nn.Conv2d(info.input_shape[0], width, 3, padding=1, bias=False)
    return model
