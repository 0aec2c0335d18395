"""The responses of layers agree with a forward pass written out by hand."""

import pytest
import torch
import torch.nn.functional as F

from tests.trainers.probes.conftest import bench_of


def by_hand(network, images):
    """Return the response of each layer, and the ratio of each unit, of a network of original units."""
    stem, norm, _ = network.stem
    responses, ratios = [], []

    def respond(x, conv, norm):
        x = F.conv2d(x, conv.weight, None, conv.stride, conv.padding)
        mean, var = norm.running_mean[:, None, None], norm.running_var[:, None, None]
        x = (x - mean) / (var + norm.eps).sqrt() * norm.weight[:, None, None] + norm.bias[:, None, None]
        responses.append(x.double().std(correction=0).item())
        return x

    x = respond(images, stem, norm).relu()
    for stage in network.stages:
        for unit in stage:
            conv1, norm1, _, conv2, norm2 = unit.branch
            residual = respond(respond(x, conv1, norm1).relu(), conv2, norm2)
            if conv1.stride[0] > 1:
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, residual.shape[1] - x.shape[1]))
            ratios.append((residual.double().square().sum() / x.double().square().sum()).sqrt().item())
            x = (x + residual).relu()
    return responses, ratios


def test_every_layer_and_unit_is_as_computed_by_hand(measured):
    values, subject = measured("layer_response", bench_of())
    images = torch.cat([images for images, _ in subject.training_images()])
    with torch.no_grad():
        responses, ratios = by_hand(subject.network, images)
    rows = values["rows"]
    assert [row["numbers"]["response"] for row in rows] == pytest.approx(responses, rel=1e-4)
    found = [row["numbers"]["branch_to_shortcut"] for row in rows]
    assert [ratio for ratio in found if ratio is not None] == pytest.approx(ratios, rel=1e-4)
    assert [row["at"]["unit"] for row in rows] == [None, 0, 0, 1, 1, 2, 2]
    strongest = [rows[number]["at"]["rank"] for number in sorted(range(7), key=lambda number: -responses[number])]
    assert strongest == list(range(7))
    assert values["scalars"]["mean"] == pytest.approx(sum(responses[1:]) / 6, rel=1e-4)
    assert values["scalars"]["branch_to_shortcut"] == pytest.approx(sum(ratios) / 3, rel=1e-4)


def test_a_layer_without_normalisation_behind_it_is_measured_itself(measured):
    values, subject = measured({"name": "layer_response", "images": 64}, bench_of(("activation", "full_preact")))
    images = torch.cat([images for images, _ in subject.training_images(64)])
    assert len(images) == 64
    found = []
    with torch.no_grad():
        subject.network.stages[1][0].branch[-1].register_forward_hook(lambda *each: found.append(each[-1].clone()))
        subject.network(images)
    row = next(row for row in values["rows"] if row["at"]["module"] == "stages.1.0.branch.5")
    assert row["numbers"]["response"] == pytest.approx(found[0].double().std(correction=0).item(), rel=1e-5)


@pytest.mark.parametrize("op", ["conv1x1", "exclusive_gate"])
def test_convolutions_on_shortcuts_are_no_layers(op, measured):
    values, _ = measured("layer_response", bench_of(("shortcut", op)))
    assert len(values["rows"]) == 7


@pytest.mark.parametrize(
    "network", [(("family", "vgg"), ("depth", 11), ("width", 2), ("hidden", 8)), (("family", "densenet"), ("depth", 7))]
)
def test_other_families_have_responses(network, measured):
    values, _ = measured("layer_response", bench_of(*network))
    assert "failed" not in values
    assert all(row["numbers"]["response"] > 0 for row in values["rows"])
