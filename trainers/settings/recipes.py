"""Training recipes as data: each names only what differs from `DEFAULTS`, and says where its numbers come from."""

from collections.abc import Mapping
from typing import Any

from search_spaces.settings import settings_of
from trainers.settings.fields import Training

DEFAULTS: Mapping[str, Any] = {each.name: each.default for each in settings_of(Training)}

_CROP_FLIP = {"crop": 4, "flip": True}

_HE2015_CIFAR: Mapping[str, Any] = {
    "iterations": 64_000,
    "momentum_form": "caffe",
    "schedule": {"name": "step", "unit": "iterations", "drops": [32_000, 48_000]},
    "normalise": "pixel_mean",
    "augment": _CROP_FLIP,
    "init": {"conv": "he_fan_in", "linear": "he_fan_in"},
}

_WARMUP = {"lr": 0.01, "iterations": 400}

_HE2016_CIFAR: Mapping[str, Any] = {**_HE2015_CIFAR, "schedule": {**_HE2015_CIFAR["schedule"], "warmup": _WARMUP}}

_FB_RESNET_TORCH: Mapping[str, Any] = {
    "epochs": 164,
    "nesterov": True,
    "schedule": {"name": "step", "unit": "epochs", "drops": [80, 121]},
    "augment": _CROP_FLIP,
    "init": {"conv": "he_fan_out", "linear": "uniform_fan_in"},
}

RECIPES: Mapping[str, Mapping[str, Any]] = {
    # Ours: trains a 110-layer network on a few thousand small images within seconds. Rate and momentum cycle against
    # each other as in arXiv:1708.07120 and torch's OneCycleLR; with a constant momentum of 0.9 more of the original
    # 110-layer networks come near to diverging at the peak (docs/log.md).
    "quick": {
        "epochs": 10,
        "batch_size": 64,
        "nesterov": True,
        "schedule": {"name": "one_cycle", "warmup": 0.2, "momentum": [0.85, 0.95]},
    },
    # arXiv:1512.03385 section 4.2. Momentum is Caffe's, where the velocity already contains the learning rate. The
    # paper warms up at depth 110 alone: there, add `schedule: {warmup: {lr: 0.01, iterations: 400}}`. It subtracts the
    # per-pixel mean and says nothing of the images' scale; here they lie between 0 and 1.
    "he2015_cifar": _HE2015_CIFAR,
    # arXiv:1603.05027 appendix: as above, with 400 iterations at 0.01 for every network. The paper's two GPUs took
    # batch statistics over 64 images each; here they are over all 128.
    "he2016_cifar": _HE2016_CIFAR,
    "he2016": _HE2016_CIFAR,
    # github.com/KaimingHe/resnet-1k-layers: fb.resnet.torch with batches of 64. Epochs 81 and 122, counted from 1,
    # are the first ones at the lower rate.
    "resnet_1k_layers_code": {**_FB_RESNET_TORCH, "epochs": 200, "batch_size": 64},
    # github.com/facebookarchive/fb.resnet.torch, CIFAR defaults of opts.lua and train.lua.
    "fb_resnet_torch_cifar": _FB_RESNET_TORCH,
    # arXiv:1712.09913 and its code: He's initialisation over the inputs, last layer from N(0, 0.001); it crops raw
    # images, padded in black, and normalises then.
    "li2018": {
        "epochs": 300,
        "nesterov": True,
        "weight_decay": 5e-4,
        "schedule": {"name": "step", "unit": "epochs", "drops": [150, 225, 275]},
        "augment": {**_CROP_FLIP, "crop_first": True},
        "init": {"conv": "he_fan_in", "linear": 1e-3},
    },
    # arXiv:1608.06993 and its code. Its dropout of 0.2, for training without augmentation, is a network setting.
    "densenet_cifar": {
        "epochs": 300,
        "batch_size": 64,
        "nesterov": True,
        "schedule": {"name": "step", "unit": "fraction", "drops": [0.5, 0.75]},
        "augment": _CROP_FLIP,
        "init": {"conv": "he_fan_out", "linear": "uniform_fan_in"},
    },
    # arXiv:1512.03385 section 3.4: 600,000 iterations of 256 images, the rate divided by 10 "when the error
    # plateaus". When that was is not published, so the drops stand at 30, 60 and 90 of the 120 epochs, as in
    # fb.resnet.torch. Shorter side scaled to 256-480, 224 crop, flip, colour augmentation.
    "he2015_imagenet": {
        "iterations": 600_000,
        "batch_size": 256,
        "momentum_form": "caffe",
        "schedule": {"name": "step", "unit": "epochs", "drops": [30, 60, 90]},
        "augment": {"resize": "shorter_side", "flip": True, "colour": True},
        "init": {"conv": "he_fan_in", "linear": "he_fan_in"},
    },
    # arXiv:1603.05027 appendix: no warm-up, drops after 30 and 60 epochs; the paper does not give the end, which is
    # fb.resnet.torch's here.
    "he2016_imagenet": {
        "epochs": 90,
        "batch_size": 256,
        "schedule": {"name": "step", "unit": "epochs", "drops": [30, 60]},
        "augment": {"resize": "shorter_side", "flip": True, "colour": True},
        "init": {"conv": "he_fan_in", "linear": "he_fan_in"},
    },
}
