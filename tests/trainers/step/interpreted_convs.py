"""Triton's convolutions under its interpreter, against torch in double precision; test_triton_layers.py starts this."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from triton.runtime import interpreter

from search_spaces import build_network
from search_spaces.shortcuts import Gate
from tests.trainers.networks import network
from trainers.step import conv_kernels, fusion, triton_layers
from trainers.step.conv_kernels import Geometry, NormReLUConv
from trainers.step.norm_kernels import Moments, Running
from trainers.step.triton_layers import use_triton

# Of the largest value: rounding of sums in fp32, and of patches, results and their gradients in bf16.
TOLERANCE = {torch.float32: 3e-6, torch.bfloat16: 1.2e-2}

# images, height, width, groups, inputs, outputs, kernel, stride, padding
GEOMETRIES = {
    "five networks of eight channels": Geometry(3, 5, 5, 5, 8, 8, (3, 3), 1, (1, 1)),
    "a stem of three channels": Geometry(2, 6, 6, 2, 3, 16, (3, 3), 1, (1, 1)),
    "a stride, an odd image": Geometry(2, 7, 5, 2, 4, 6, (3, 3), 2, (1, 1)),
    "a projection": Geometry(4, 4, 4, 3, 5, 9, (1, 1), 2, (0, 0)),
    "more channels than a block has": Geometry(1, 3, 3, 1, 17, 70, (3, 3), 1, (1, 1)),
    "more inputs than a block has": Geometry(1, 2, 2, 2, 65, 2, (1, 1), 1, (0, 0)),
    "a wide kernel": Geometry(2, 9, 8, 1, 3, 4, (7, 5), 2, (3, 2)),
    "one image of one pixel": Geometry(1, 1, 1, 2, 3, 4, (3, 3), 1, (1, 1)),
    "a thousand images": Geometry(1000, 1, 1, 2, 2, 3, (3, 3), 1, (1, 1)),
}


def inputs(geometry, dtype):
    generator = torch.Generator().manual_seed(3)

    def draw(*shape):
        return torch.randn(shape, generator=generator)

    channels, outputs = geometry.groups * geometry.inputs, geometry.groups * geometry.outputs
    x = draw(geometry.images, channels, geometry.height, geometry.width).to(dtype)
    weights = draw(outputs, geometry.inputs, *geometry.kernel).to(dtype)
    scale, offset = draw(channels) * 0.3 + 1, draw(channels) * 0.3
    shape = geometry.images, outputs, geometry.out_height, geometry.out_width
    return x, weights, scale, offset, draw(*shape).to(dtype), draw(*shape).to(dtype)


def expected(geometry, norm, adds, x, weights, scale, offset, shortcut, gradient):
    """Torch's results in double precision: output, then gradients of all that has one."""
    leaves = [each.double().requires_grad_() for each in (x, weights, scale, offset, shortcut)]
    x, weights, scale, offset, shortcut = leaves
    mean, var = torch.zeros(len(scale)).double(), torch.ones(len(scale)).double()
    if norm:
        x = F.relu(F.batch_norm(x, mean, var, scale, offset, True, 0.1, 1e-5))
    out = F.conv2d(x, weights, None, geometry.stride, geometry.padding, 1, geometry.groups)
    out = out + shortcut if adds else out
    wanted = [*leaves[:2], *(leaves[2:4] if norm else []), *(leaves[4:] if adds else [])]
    return [out.detach(), *torch.autograd.grad(out, wanted, gradient.double()), *([mean, var] if norm else [])]


def computed(geometry, norm, adds, x, weights, scale, offset, shortcut, gradient, moments=None):
    leaves = [each.clone().requires_grad_() for each in (x, weights, scale, offset, shortcut)]
    x, weights, scale, offset, shortcut = leaves
    running = Running(torch.zeros(len(scale)), torch.ones(len(scale)), 0.1, 1e-5)
    affine = (scale, offset, running) if norm else (None, None, None)
    out, _, _ = NormReLUConv.apply(x, shortcut if adds else None, weights, *affine, moments, geometry)
    wanted = [*leaves[:2], *(leaves[2:4] if norm else []), *(leaves[4:] if adds else [])]
    return [out.detach(), *torch.autograd.grad(out, wanted, gradient), *([running.mean, running.var] if norm else [])]


@pytest.fixture(autouse=True)
def _products_in_bf16(monkeypatch):
    """Widen bf16 before products: the interpreter (Triton 3.8) keeps it as integers, and multiplies these."""
    original = interpreter.InterpreterBuilder.create_dot

    def widened(handle):
        if handle.data.dtype != np.uint16:
            return handle
        return interpreter.TensorHandle((handle.data.astype(np.uint32) << 16).view(np.float32), interpreter.tl.float32)

    def create_dot(self, a, b, *rest):
        return original(self, widened(a), widened(b), *rest)

    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_dot", create_dot)


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    """Make even small images fill several blocks and parts, of which the interpreter computes one after another."""
    for name, value in {"ROWS": 32, "ROWS_OF_WEIGHTS": 32, "COLUMNS": 16, "TAPS": 64, "PROGRAMS": 12}.items():
        monkeypatch.setattr(conv_kernels, name, value)


@pytest.mark.parametrize(("norm", "adds"), [(True, True), (False, False)])
@pytest.mark.parametrize(
    ("name", "dtype"),
    [*((name, torch.float32) for name in GEOMETRIES), *((name, torch.bfloat16) for name in list(GEOMETRIES)[:3])],
)
def test_convolutions_compute_what_torch_computes_in_double_precision(name, dtype, norm, adds):
    geometry = GEOMETRIES[name]
    norm = norm and geometry.images * geometry.height * geometry.width > 1  # which a batch norm needs
    arguments = inputs(geometry, dtype)
    found, wanted = computed(geometry, norm, adds, *arguments), expected(geometry, norm, adds, *arguments)
    for one, other in zip(found, wanted, strict=True):
        assert one.shape == other.shape
        scale = max(float(other.abs().max()), 0.5)
        torch.testing.assert_close(one.double() / scale, other / scale, rtol=0, atol=TOLERANCE[dtype])


def test_moments_that_are_kept_are_those_of_the_values():
    geometry = GEOMETRIES["five networks of eight channels"]
    x, weights, *_ = inputs(geometry, torch.float32)
    out, means, squares = NormReLUConv.apply(x, None, weights, None, None, None, None, geometry)
    rows = out.permute(0, 2, 3, 1).flatten(0, 2).double()
    for part, block in enumerate(rows.split(geometry.block_rows)):
        torch.testing.assert_close(means[:, part].double(), block.mean(0), rtol=0, atol=1e-5)
        torch.testing.assert_close(squares[:, part].double(), ((block - block.mean(0)) ** 2).sum(0), rtol=1e-5, atol=0)


def test_a_norm_reads_the_moments_that_it_is_given():
    geometry = GEOMETRIES["a stride, an odd image"]
    arguments = inputs(geometry, torch.float32)
    x = arguments[0]
    rows = x.permute(0, 2, 3, 1).flatten(0, 2)
    parts = [(block.mean(0), ((block - block.mean(0)) ** 2).sum(0)) for block in rows.split(32)]
    means, squares = (torch.stack(each, 1).contiguous() for each in zip(*parts, strict=True))
    found = computed(geometry, True, True, *arguments, moments=Moments(means, squares, 32))
    for one, other in zip(found, computed(geometry, True, True, *arguments), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
    shifted = computed(geometry, True, True, *arguments, moments=Moments(means + 1, squares, 32))
    assert not torch.allclose(shifted[0], found[0], atol=0.1)


def test_results_repeat_bit_for_bit():
    geometry = GEOMETRIES["five networks of eight channels"]
    one, other = (computed(geometry, True, True, *inputs(geometry, torch.float32)) for _ in range(2))
    assert all(torch.equal(*each) for each in zip(one, other, strict=True))


@pytest.mark.parametrize("where", ["x", "weights", "gradient"])
def test_a_value_that_is_no_number_stays_in_its_network(where):
    geometry = GEOMETRIES["five networks of eight channels"]
    x, weights, scale, offset, shortcut, gradient = inputs(geometry, torch.float32)
    {"x": x, "weights": weights, "gradient": gradient}[where].view(-1)[
        {"x": 8 * 25, "weights": 8 * 8 * 9, "gradient": 8 * 25}[where]
    ] = float("nan")
    out, x_gradient, weight_gradient, scale_gradient, *_ = computed(
        geometry, True, False, x, weights, scale, offset, shortcut, gradient
    )
    networks = [
        out.reshape(3, 5, -1).transpose(0, 1),
        x_gradient.reshape(3, 5, -1).transpose(0, 1),
        weight_gradient.reshape(5, -1),
        scale_gradient.view(5, -1),
    ]
    for each in networks:
        assert each[[0, 2, 3, 4]].isfinite().all()
    assert any(each[1].isnan().any() for each in networks)


NETWORKS = {
    "original": {},
    "preact": {"activation": "full_preact"},
    "projection": {"downsample": "projection"},
    "bn after addition": {"activation": "bn_after_add"},
    "gate": {"shortcut": "exclusive_gate"},
}


@pytest.fixture
def launches(monkeypatch):
    """Return a list that grows with each convolution that Triton's kernels compute."""
    made, launch = [], NormReLUConv.forward

    def noted(context, x, *rest):
        made.append(x.shape)
        return launch(context, x, *rest)

    monkeypatch.setattr(NormReLUConv, "forward", staticmethod(noted))
    return made


def built(changes):
    return build_network(network(**changes), (1, 4, 4), 4).to(memory_format=torch.channels_last).train()


def trained(net, images, labels, count):
    """Return the logits, the gradients and the running statistics after one forward and backward pass."""
    logits = net(images)
    each = logits.view(len(images), count, -1).transpose(0, 1)
    losses = F.cross_entropy(each.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape).mean(1)
    gradients = torch.autograd.grad(losses.sum(), list(net.parameters()))
    running = [each for name, each in net.named_buffers() if "running" in name]
    return [logits.detach(), *gradients, *running]


@pytest.mark.parametrize("changes", NETWORKS.values(), ids=NETWORKS)
def test_a_pack_trains_in_one_launch_as_its_networks_do_alone(changes, launches):
    alone = [built(changes) for _ in range(2)]
    fused = fusion.fuse(alone).to(memory_format=torch.channels_last).train()
    with torch.no_grad():
        fusion.load(fused, alone)
    assert use_triton(fused, True) >= 4
    images = [torch.randn(4, 1, 4, 4) for _ in alone]
    labels = torch.randint(0, 4, (2, 4))
    together = trained(fused, torch.cat(images, 1), labels, 2)
    convolutions = sum(isinstance(each, nn.Conv2d) for each in fused.modules())
    outside = sum(isinstance(each, Gate) for each in fused.modules())  # a gate's convolution stands in no sequence
    assert len(launches) == convolutions - outside
    apart = [trained(net, own, label[None], 1) for net, own, label in zip(alone, images, labels, strict=True)]
    wanted = [torch.cat([each[0] for each in apart], 1)]
    wanted += [
        torch.cat([part.reshape(-1) for part in parts]) for parts in zip(*(each[1:] for each in apart), strict=True)
    ]
    for one, other in zip(together, wanted, strict=True):
        torch.testing.assert_close(one.reshape(-1), other.reshape(-1).to(one.dtype), rtol=1e-3, atol=2e-4)


def test_moments_are_not_used_for_values_that_changed_since():
    net = nn.Sequential(nn.Conv2d(2, 3, 1, bias=False), nn.ReLU(inplace=True), nn.BatchNorm2d(3)).train()
    plain = copy.deepcopy(net)
    assert use_triton(net, True) == 1
    images = torch.randn(4, 2, 3, 3)
    torch.testing.assert_close(net(images), plain(images), rtol=1e-5, atol=1e-5)


def in_triton(net, images):
    """Return what `net` gives with Triton's kernels and without."""
    plain, changed = copy.deepcopy(net).train(), copy.deepcopy(net).train()
    use_triton(changed, True)
    results = []
    for each in (plain, changed):
        out = each(images)
        gradients = torch.autograd.grad((out.float() ** 2).sum(), [p for p in each.parameters() if p.requires_grad])
        results.append([out.detach(), *gradients, *each.state_dict().values()])
    return results


def assert_alike(plain, changed):
    for one, other in zip(changed, plain, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * max(float(other.abs().max()), 1.0))


def conv(inputs, outputs, kernel=3, **settings):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False, **settings)


class KeepsNormsFrozen(nn.Sequential):
    def train(self, mode=True):
        super().train(mode)
        for each in self.modules():
            if isinstance(each, nn.BatchNorm2d):
                each.eval()
        return self


def untracked():
    norm = nn.BatchNorm2d(3)
    norm.track_running_stats = False
    return norm


def without_bias():
    norm = nn.BatchNorm2d(3)
    norm.bias = None
    return norm


def replaced():
    relu = nn.ReLU()
    relu.forward = torch.abs
    return relu


ODD = {
    "frozen norms": lambda: KeepsNormsFrozen(nn.Sequential(conv(2, 3), nn.BatchNorm2d(3), nn.ReLU(), conv(3, 2))),
    "norms that keep no statistics": lambda: nn.Sequential(conv(2, 3), untracked(), nn.ReLU(), conv(3, 2)),
    "a norm without bias": lambda: nn.Sequential(conv(2, 3), without_bias(), nn.ReLU(), conv(3, 2)),
    "a ReLU whose forward is replaced": lambda: nn.Sequential(nn.BatchNorm2d(2), replaced(), conv(2, 3)),
    "norms that count batches": lambda: nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), conv(2, 3), nn.BatchNorm2d(3)),
    "depthwise": lambda: nn.Sequential(conv(2, 2, groups=2), nn.BatchNorm2d(2), nn.ReLU()),
    "a dtype of its own inside": lambda: nn.Sequential(conv(2, 3), Double(), nn.BatchNorm2d(3).double(), nn.ReLU()),
}


class Double(nn.Module):
    def forward(self, x):
        return x.double()


@pytest.mark.parametrize("build", ODD.values(), ids=ODD)
def test_odd_layers_compute_as_they_are_written(build):
    assert_alike(*in_triton(build(), torch.randn(3, 2, 4, 4)))


def test_a_norm_of_values_far_from_zero_is_computed_before_they_are_rounded():
    net = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), conv(2, 3))
    images = 1000 + torch.randn(4, 2, 4, 4)
    with torch.autocast("cpu", torch.bfloat16):
        plain, changed = in_triton(net, images)
    torch.testing.assert_close(changed[0], plain[0], rtol=5e-2, atol=5e-2)


@pytest.mark.parametrize("shape", [(1, 2, 1, 1), (0, 2, 4, 4), (2, 3, 4, 4), (2, 2, 4)], ids=str)
def test_what_torch_refuses_is_refused_in_its_words(shape):
    net = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU(), conv(2, 3)).train()
    images = torch.randn(shape)
    try:
        expected = net(images)
    except (ValueError, RuntimeError) as error:
        expected = str(error)
    use_triton(net, True)
    if isinstance(expected, str):
        with pytest.raises((ValueError, RuntimeError)) as raised:
            net(images)
        assert str(raised.value) == expected
    else:
        assert net(images).shape == expected.shape


def test_second_derivatives_are_refused_rather_than_wrong():
    net = nn.Sequential(conv(2, 3), nn.BatchNorm2d(3), nn.ReLU()).train()
    use_triton(net, True)
    images = torch.randn(2, 2, 3, 3).requires_grad_()
    weight = torch.randn(3).requires_grad_()
    (gradient,) = torch.autograd.grad((net(images).mean((2, 3)) @ weight).sum(), images, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_without_gradients_and_with_hooks_everywhere_networks_compute_as_they_are_written():
    net = nn.Sequential(conv(2, 3), nn.BatchNorm2d(3), nn.ReLU()).train()
    plain = copy.deepcopy(net)
    use_triton(net, True)
    images = torch.randn(2, 2, 3, 3)
    with torch.inference_mode():
        assert torch.equal(net(images), plain(images))
    seen = []
    hook = nn.modules.module.register_module_forward_hook(lambda module, inputs, out: seen.append(type(module)))
    try:
        net(images)
    finally:
        hook.remove()
    assert seen == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Sequential]


def test_networks_of_many_shapes_are_left_to_torchs_convolutions():
    layers = [conv(2 + at, 3 + at, 1) for at in range(triton_layers.MOST_SHAPES + 1)]
    assert use_triton(nn.Sequential(*layers), True) == 0
    assert use_triton(nn.Sequential(*layers[1:]), True) == 1
