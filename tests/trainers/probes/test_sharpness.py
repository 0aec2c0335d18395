"""The eigenvalues agree with those of the whole Hessian of a small network."""

import pytest
import torch
import torch.nn.functional as F
from torch.func import functional_call

from tests.trainers.probes.conftest import bench_of


def whole_hessian(subject, images):
    parameters = {name: each.detach().double() for name, each in subject.network.double().named_parameters()}
    sizes = [each.numel() for each in parameters.values()]
    batches = subject.training_images(images)

    def loss(flat):
        parts = torch.split(flat, sizes)
        moved = {name: part.view_as(each) for (name, each), part in zip(parameters.items(), parts, strict=True)}
        inputs = torch.cat([images for images, _ in batches]).double()
        return F.cross_entropy(functional_call(subject.network, moved, (inputs,)), torch.cat([y for _, y in batches]))

    flat = torch.cat([each.flatten() for each in parameters.values()])
    return torch.autograd.functional.hessian(loss, flat)


def test_the_largest_eigenvalues_are_those_of_the_whole_matrix(measured):
    bench = bench_of(("family", "tests.trainers.probes.flat:build"))
    values, subject = measured({"name": "sharpness", "images": 32, "steps": 60}, bench)
    expected = torch.linalg.eigvalsh(whole_hessian(subject, 32)).flip(0)[:3]
    found = [row["numbers"]["eigenvalue"] for row in values["rows"]]
    assert found == pytest.approx(expected.tolist(), rel=1e-3)
    assert values["scalars"]["largest"] == found[0]
    assert all(row["numbers"]["residual"] < 1e-2 for row in values["rows"])


def test_a_convolutional_network_too(measured):
    bench = bench_of(("width", 1), ("depth", 8))
    values, subject = measured({"name": "sharpness", "images": 16, "steps": 40, "count": 1}, bench)
    expected = torch.linalg.eigvalsh(whole_hessian(subject, 16))[-1].item()
    assert values["scalars"]["largest"] == pytest.approx(expected, rel=1e-3)


def test_the_residual_tells_that_a_step_was_too_few(measured):
    bench = bench_of(("width", 1), ("depth", 8))
    few, _ = measured({"name": "sharpness", "images": 16, "steps": 2, "count": 1}, bench)
    many, _ = measured({"name": "sharpness", "images": 16, "steps": 30, "count": 1}, bench)
    assert few["scalars"]["residual"] > 0.05 > many["scalars"]["residual"]
