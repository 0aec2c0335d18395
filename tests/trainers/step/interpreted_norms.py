"""Triton's kernels, run by its interpreter, against torch in double precision; test_triton_layers.py starts this."""

import copy

import pytest
import torch

from search_spaces import build_network
from tests.trainers.networks import network
from trainers.step.norm_kernels import ROWS, NormAddReLU, Running
from trainers.step.triton_layers import use_triton

# Of the largest value: rounding of sums in fp32, and of the results in bf16.
TOLERANCE = {torch.float32: 2e-6, torch.bfloat16: 8e-3}
SHAPES = [(4, 5, 3, 3), (2, 33, 8, 8), (1, 16, 7, 5), (8, 64, 2, 2), (2, 1, 1, 1), (1000, 2, 1, 1)]


def inputs(shape, dtype, *, offset=0.0):
    generator = torch.Generator().manual_seed(1)
    channels = shape[1]
    x, shortcut, gradient = (torch.randn(shape, generator=generator).to(dtype) for _ in range(3))
    weight, bias, mean, variance = (torch.rand(channels, generator=generator) + 0.5 for _ in range(4))
    return x + offset, shortcut, gradient, weight, bias, mean, variance


def expected(x, shortcut, gradient, weight, bias, mean, variance, relu):
    """Torch's results in double precision: output, gradients, running statistics."""
    x, weight, bias, mean, variance = (each.double() for each in (x, weight, bias, mean, variance))
    leaves = [each.requires_grad_() for each in (x, weight, bias)]
    out = torch.nn.functional.batch_norm(x, mean, variance, weight, bias, True, 0.1, 1e-5)
    if shortcut is not None:
        shortcut = shortcut.double().requires_grad_()
        leaves.append(shortcut)
        out = out + shortcut
    out = torch.relu(out) if relu else out
    return [out.detach(), *torch.autograd.grad(out, leaves, gradient.double()), mean, variance]


def computed(x, shortcut, gradient, weight, bias, mean, variance, relu):
    x, weight, bias = (each.clone().requires_grad_() for each in (x, weight, bias))
    leaves = [x, weight, bias]
    if shortcut is not None:
        shortcut = shortcut.clone().requires_grad_()
        leaves.append(shortcut)
    mean, variance = mean.clone(), variance.clone()
    out = NormAddReLU.apply(x, shortcut, weight, bias, Running(mean, variance, 0.1, 1e-5), None, relu)
    return [out.detach(), *torch.autograd.grad(out, leaves, gradient), mean, variance]


@pytest.mark.parametrize(("adds", "relu"), [(True, True), (False, True), (False, False)])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_kernels_compute_what_torch_computes_in_double_precision(shape, dtype, adds, relu):
    x, shortcut, *rest = inputs(shape, dtype)
    shortcut = shortcut if adds else None
    for found, wanted in zip(computed(x, shortcut, *rest, relu), expected(x, shortcut, *rest, relu), strict=True):
        scale = max(float(wanted.abs().max()), 0.5)  # the gradient of two values of one channel is all cancellation
        torch.testing.assert_close(found.double() / scale, wanted / scale, rtol=0, atol=TOLERANCE[dtype])


def test_a_mean_far_from_zero_costs_no_precision():
    x, _, *rest = inputs((4, 3, 8, 8), torch.float32, offset=1000.0)
    found, wanted = computed(x, None, *rest, True), expected(x, None, *rest, True)
    torch.testing.assert_close(found[0].double(), wanted[0], rtol=0, atol=2e-3)
    torch.testing.assert_close(found[-1].double(), wanted[-1], rtol=1e-5, atol=0)


def test_results_repeat_bit_for_bit():
    arguments = inputs((3, 7, 5 * ROWS // 10, 5), torch.float32)
    one, other = (computed(*arguments, True) for _ in range(2))
    assert all(torch.equal(*each) for each in zip(one, other, strict=True))


def test_a_value_that_is_no_number_spoils_its_channel_only():
    x, shortcut, *rest = inputs((2, 4, 3, 3), torch.float32)
    x[0, 1, 0, 0] = float("nan")
    found = computed(x, shortcut, *rest, True)
    assert found[0][:, 1].isnan().all()
    assert all(each[:, (0, 2, 3)].isfinite().all() for each in (found[0], found[1]))


NETWORKS = {
    "original": {},
    "preact": {"activation": "full_preact"},
    "projection": {"downsample": "projection"},
    "scale": {"shortcut": {"op": "scale"}},
}


@pytest.mark.parametrize("changes", NETWORKS.values(), ids=NETWORKS)
def test_networks_train_with_them_as_without_and_evaluate_as_they_are_written(changes, monkeypatch):
    plain = build_network(network(**changes), (1, 4, 4), 4).to(memory_format=torch.channels_last).train()
    fused = copy.deepcopy(plain)
    assert use_triton(fused, False) >= 4
    made, launch = [], NormAddReLU.forward
    monkeypatch.setattr(
        NormAddReLU, "forward", staticmethod(lambda *arguments: made.append(arguments) or launch(*arguments))
    )
    images, labels = torch.randn(4, 1, 4, 4), torch.randint(0, 4, (4,))
    results = []
    for each in (plain, fused):
        logits = each(images)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, list(each.parameters()))
        results.append([logits.detach(), *gradients, *each.state_dict().values()])
        assert len(made) == (each is fused) * sum(isinstance(norm, torch.nn.BatchNorm2d) for norm in fused.modules())
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-3, atol=1e-4 * max(float(one.abs().max()), 1.0))
    fused.load_state_dict(plain.state_dict())
    with torch.no_grad():
        assert torch.equal(plain.eval()(images), fused.eval()(images))


def test_a_hook_sees_what_its_module_gives():
    net = torch.nn.Sequential(torch.nn.BatchNorm2d(4), torch.nn.ReLU()).train()
    assert use_triton(net, False) == 1
    seen = []
    net[0].register_forward_hook(lambda module, inputs, output: seen.append(output))
    out = net(torch.randn(3, 4, 2, 2))
    assert (seen[0] < 0).any()
    assert torch.equal(out, seen[0].relu())
