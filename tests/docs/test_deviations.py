"""Each row of docs/deviations.md: the code does what the row says, by default and with the setting it names."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from search_spaces.layers import BatchNorm
from search_spaces.networks.families import build_network, complete_network
from trainers.data import load
from trainers.data.batch_loader import MemoryBatchLoader
from trainers.settings.length import cut_short
from trainers.settings.recipe import complete_training
from trainers.settings.schedules import learning_rate
from trainers.step.optim import SGD, weight_decays

DOCUMENT = Path(__file__).parents[2] / "docs" / "deviations.md"
CPU = torch.device("cpu")
IMAGENET = 1_281_167
RELU_CONV = {"activation": "full_preact", "depth": 14}


def rows() -> list[str]:
    """Return the first cell of each row of the table."""
    lines = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [line.split(" | ")[0].removeprefix("| ") for line in lines[1:]]


def network(**settings: object) -> nn.Module:
    torch.manual_seed(0)
    return build_network({"depth": 8, "width": 4, **settings}, (3, 16, 16), 10)


def unit_at_the_first_change(**settings: object) -> nn.Module:
    return network(**settings).stages[1][0]


def recipe(name: str, data: str = "cifar10", **changes: object) -> dict[str, object]:
    return complete_training({"recipe": name, **changes}, {"name": data})


def kinds(module: nn.Module) -> list[type]:
    return [type(each) for each in module.modules() if isinstance(each, nn.Conv2d | BatchNorm | nn.ReLU | nn.MaxPool2d)]


def padding_takes_every_second_pixel_as_the_average_of_one_does() -> None:
    unit = unit_at_the_first_change(downsample="pad")
    x = torch.randn(2, 4, 16, 16)
    ours = unit.merge(x, torch.zeros(2, 8, 8, 8))
    theirs = F.pad(F.avg_pool2d(x, kernel_size=1, stride=2), (0, 0, 0, 0, 0, 4))
    assert torch.equal(ours, theirs)


def projections_are_normalised_where_the_branch_is() -> None:
    for activation, normalised in (("original", True), ("full_preact", False)):
        for asked, there in (({}, normalised), ({"projection_bn": True}, True), ({"projection_bn": False}, False)):
            unit = unit_at_the_first_change(activation=activation, downsample="projection", **asked)
            assert (BatchNorm in kinds(unit.merge)) is there


def a_projection_shares_the_first_activation() -> None:
    projected = network(**RELU_CONV, downsample="projection")
    assert kinds(projected.stages[1][0].shared) == [BatchNorm, nn.ReLU]
    assert projected.stages[1][1].shared is None  # an identity is shared with nothing
    assert network(**RELU_CONV, downsample="pad").stages[1][0].shared is None


def sharing_at_stage_starts_only() -> None:
    everywhere = {"downsample": "projection_everywhere"}
    shared = {
        sharing: [[unit.shared is not None for unit in stage] for stage in network(**RELU_CONV, **where).stages]
        for sharing, where in {
            "by default": everywhere,
            "only": {**everywhere, "share_preactivation": "stage_start_only"},
            "A, only": {"downsample": "pad", "share_preactivation": "stage_start_only"},
            "A": {"downsample": "pad", "share_preactivation": "stage_start"},
            "B, only": {"downsample": "projection", "share_preactivation": "stage_start_only"},
            "B": {"downsample": "projection", "share_preactivation": "stage_start"},
        }.items()
    }
    assert shared["by default"][1] == [True, True]
    assert [stage[1:] for stage in shared["only"]] == [[False]] * 3
    assert [stage[0] for stage in shared["only"][1:]] == [True, True]
    assert shared["A, only"] == shared["A"]
    assert shared["B, only"] == shared["B"]


def the_stride_of_a_bottleneck_is_in_its_first_convolution() -> None:
    for asked, strides in (({}, [2, 1, 1]), ({"stride_in": "1x1"}, [2, 1, 1]), ({"stride_in": "3x3"}, [1, 2, 1])):
        unit = unit_at_the_first_change(depth=11, block="bottleneck", **asked)
        assert [each.stride[0] for each in unit.branch if isinstance(each, nn.Conv2d)] == strides


def the_pool_of_the_stem_follows_its_activation() -> None:
    after = [nn.Conv2d, BatchNorm, nn.ReLU, nn.MaxPool2d]
    before = [nn.Conv2d, nn.MaxPool2d, BatchNorm, nn.ReLU]
    imagenet = {"family": "resnet_imagenet", "depth": 18, "activation": "full_preact"}
    assert kinds(network(**imagenet).stem) == after
    assert kinds(network(**imagenet, stem_pool="before_activation").stem) == before


def a_convolution_on_the_shortcut_is_normalised() -> None:
    assert BatchNorm in kinds(network(shortcut="conv1x1").stages[0][0].merge)
    assert BatchNorm not in kinds(network(shortcut={"op": "conv1x1", "bn": False}).stages[0][0].merge)


def dropout_on_the_shortcut_keeps_the_expectation() -> None:
    x = torch.ones(2, 4, 50, 50)
    for rescale, trained, tested in ((True, {0.0, 2.0}, 1.0), (False, {0.0, 1.0}, 0.5)):
        merge = network(shortcut={"op": "dropout", "rate": 0.5, "rescale": rescale}).stages[0][0].merge
        assert set(merge.train()(x, torch.zeros_like(x)).unique().tolist()) == trained
        assert merge.eval()(x, torch.zeros_like(x)).unique().tolist() == [tested]
    assert complete_network({"shortcut": "dropout"})["shortcut"]["rescale"] is True


def highway_networks_are_laid_out_like_residual_ones() -> None:
    highway = network(family="highway", depth=20)
    assert [sum(any(True for _ in layer.parameters()) for layer in stage) for stage in highway.stages] == [6, 6, 6]
    assert BatchNorm not in kinds(highway)
    assert [len(stage) for stage in network(depth=20, block="single").stages] == [6, 6, 6]


def the_stem_of_a_densenet_has_16_channels() -> None:
    stems = [
        complete_network({"family": "densenet", "depth": 40, "growth": 12, **more})["stem_width"]
        for more in ({}, {"stem_width": 24})
    ]
    assert stems == [16, 24]


def vgg_is_not_normalised() -> None:
    built = [build_network({"family": "vgg", "depth": 16, "width": 4, **more}) for more in ({}, {"batch_norm": True})]
    normalised = [any(isinstance(each, BatchNorm | nn.BatchNorm2d) for each in one.modules()) for one in built]
    assert normalised == [False, True]


def momentum_is_caffes() -> None:
    for name in ("he2015_cifar", "he2016_cifar"):
        weights = {}
        for form in ("caffe", "torch"):
            layer = nn.Linear(1, 1, bias=False)
            nn.init.zeros_(layer.weight)
            training = recipe(name, weight_decay=0.0, momentum_form=form)
            optimiser = SGD(layer, training)
            optimiser.step([torch.ones(1, 1)], 1.0)
            optimiser.change_rate(1.0, 0.1)
            optimiser.step([torch.ones(1, 1)], 0.1)
            weights[form] = -float(layer.weight.detach())
        # v = 1, then v = 0.9 v + 0.1 with Caffe, and 0.1 (0.9 v + 1) with torch.
        assert weights == {"caffe": pytest.approx(1 + 0.9 + 0.1), "torch": pytest.approx(1 + 0.1 * 1.9)}
        assert recipe(name)["momentum_form"] == "caffe"


def only_the_second_paper_warms_up() -> None:
    warmup = {"schedule": {"warmup": {"lr": 0.01, "iterations": 400}}}
    for training, early in (
        (recipe("he2015_cifar"), 0.1),
        (recipe("he2015_cifar", **warmup), 0.01),
        (recipe("he2016_cifar"), 0.01),
    ):
        assert [learning_rate(training, at, 64_000, 391) for at in (0, 399, 400)] == [early, early, 0.1]


def batch_statistics_are_over_all_128_images() -> None:
    assert recipe("he2016_cifar")["batch_size"] == 128
    built = network().train()
    images = torch.randn(128, 3, 16, 16)
    seen: list[torch.Tensor] = []
    first = next(each for each in built.modules() if isinstance(each, BatchNorm))
    first.register_forward_hook(lambda _, inputs, output: seen.extend((inputs[0].clone(), output.clone())))
    built(images)
    mean = seen[0].mean((0, 2, 3), keepdim=True)
    deviation = seen[0].var((0, 2, 3), keepdim=True, correction=0).add(1e-5).sqrt()
    torch.testing.assert_close(seen[1], (seen[0] - mean) / deviation, atol=1e-4, rtol=1e-4)


def padding_is_the_mean_but_in_li2018() -> None:
    first = {
        name: recipe(name)["augment"].get("crop_first", False)
        for name in ("he2015_cifar", "he2016_cifar", "fb_resnet_torch_cifar", "li2018")
    }
    assert first == {"he2015_cifar": False, "he2016_cifar": False, "fb_resnet_torch_cifar": False, "li2018": True}
    data = load("digits", CPU)
    for crop_first, padded in ((False, True), (True, False)):
        training = complete_training({"augment": {"crop": 4, "crop_first": crop_first}}, {"name": "digits"})
        images, _ = next(iter(MemoryBatchLoader(data, training, CPU).train(0, 1)))
        assert bool((images == 0).any()) is padded  # the mean is 0 once normalised, black is not


def imagenet_drops_after_30_60_and_90_of_120_epochs() -> None:
    training = recipe("he2015_imagenet", "image_folder")
    assert training["schedule"]["drops"] == [30, 60, 90]
    assert training["schedule"]["unit"] == "epochs"
    assert training["iterations"] * training["batch_size"] / IMAGENET == pytest.approx(120, abs=0.2)


def the_second_paper_ends_after_90_epochs_at_imagenet_scale() -> None:
    training = recipe("he2016_imagenet", "image_folder")
    assert (training["epochs"], training["schedule"]["drops"]) == (90, [30, 60])
    assert recipe("he2016_imagenet", "image_folder", epochs=80)["epochs"] == 80


def weight_decay_is_on_every_parameter() -> None:
    parameters = list(network().parameters())
    assert set(weight_decays(parameters, recipe("he2016_cifar"))) == {1e-4}
    assert {
        (each.dim() > 1): decay
        for each, decay in zip(
            parameters, weight_decays(parameters, recipe("he2016_cifar", decay="weights")), strict=True
        )
    } == {True: 1e-4, False: 0.0}


def a_last_batch_of_one_image_is_left_out() -> None:
    data = load({"name": "synthetic", "shape": [1, 8, 8], "train_size": 65, "test_size": 5}, CPU)
    loader = MemoryBatchLoader(data, complete_training({"batch_size": 64}, {"name": "digits"}), CPU)
    assert [len(labels) for _, labels in loader.train(0, 1)] == [64]


def quick_warms_up_over_a_fifth_of_one_cycle() -> None:
    training = recipe("quick", "digits")
    rates = [learning_rate(training, at, 100, 10) for at in range(100)]
    assert rates.index(max(rates)) == 19
    assert rates[:20] == sorted(rates[:20])
    assert rates[19:] == sorted(rates[19:], reverse=True)


CHECKS: Mapping[str, Callable[[], None]] = {
    "Option A where shapes change, CIFAR": padding_takes_every_second_pixel_as_the_average_of_one_does,
    "Projections (option B) of the pre-activation networks": projections_are_normalised_where_the_branch_is,
    "First activation of a pre-activation unit": a_projection_shares_the_first_activation,
    "the same in preresnet of fb.resnet.torch": sharing_at_stage_starts_only,
    "Stride of a bottleneck that halves the size": the_stride_of_a_bottleneck_is_in_its_first_convolution,
    "Max-pooling of the stem, pre-activation at ImageNet scale": the_pool_of_the_stem_follows_its_activation,
    "1×1 convolution on the shortcut": a_convolution_on_the_shortcut_is_normalised,
    "Dropout on the shortcut": dropout_on_the_shortcut_keeps_the_expectation,
    "Highway networks": highway_networks_are_laid_out_like_residual_ones,
    "Stem of DenseNet without compression": the_stem_of_a_densenet_has_16_channels,
    "VGG": vgg_is_not_normalised,
    "Momentum of arXiv:1512.03385 and 1603.05027": momentum_is_caffes,
    "Warm-up": only_the_second_paper_warms_up,
    "Batch statistics of arXiv:1603.05027": batch_statistics_are_over_all_128_images,
    "Padding before a crop": padding_is_the_mean_but_in_li2018,
    "When the rate drops at ImageNet scale": imagenet_drops_after_30_60_and_90_of_120_epochs,
    "End of training in arXiv:1603.05027 at ImageNet scale": the_second_paper_ends_after_90_epochs_at_imagenet_scale,
    "Weight decay": weight_decay_is_on_every_parameter,
    "A last batch of one image": a_last_batch_of_one_image_is_left_out,
    "Warm-up of one cycle, `quick`": quick_warms_up_over_a_fifth_of_one_cycle,
}


@pytest.mark.parametrize("row", rows())
def test_the_code_does_what_the_row_says(row: str) -> None:
    CHECKS[row]()


def test_every_check_has_its_row() -> None:
    assert sorted(CHECKS) == sorted(rows())


def test_a_recipe_that_is_cut_short_is_not_scaled_and_the_plan_says_so() -> None:
    whole, short = recipe("he2016_cifar"), recipe("he2016_cifar", epochs=2)
    assert short["schedule"] == whole["schedule"]
    assert (cut_short(whole, 50_000), "its rate never drops" in (cut_short(short, 50_000) or "")) == (None, True)
