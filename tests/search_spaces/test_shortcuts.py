"""Every shortcut: the common checks, then what each is defined as."""

import random

import pytest
import torch
from torch import nn

from search_spaces.describe import describe_network
from search_spaces.drawing import ShortcutDrawing
from search_spaces.errors import SettingError
from search_spaces.layers import BatchNorm
from search_spaces.networks.families import build_network
from search_spaces.shortcuts import SHORTCUTS, Pad, Place, Shortcut, build_shortcut, complete_shortcut
from trainers.step import fusion


def place(in_channels=4, out_channels=4, stride=1, merge="add", index=0, units=4):
    def resize():
        return None if built.same_shape else Pad(built)

    built = Place(in_channels, out_channels, out_channels, stride, index, units, merge, resize, overwrite=False)
    return built


def shortcut(value, **where):
    torch.manual_seed(0)
    return build_shortcut(complete_shortcut(value), place(**where))


def signals():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 4, 3, 3, generator=generator), torch.randn(2, 4, 3, 3, generator=generator)


class TestEveryShortcut:
    @pytest.fixture(params=SHORTCUTS)
    def op(self, request):
        return request.param

    def test_completes_to_a_mapping_that_completes_to_itself(self, op):
        assert complete_shortcut(complete_shortcut(op)) == complete_shortcut(op)

    def test_says_where_it_comes_from(self, op):
        assert SHORTCUTS[op].__doc__

    @pytest.mark.parametrize("activation", ["original", "full_preact", "relu_before_add"])
    def test_trains_in_a_network(self, op, activation):
        network = build_network({"depth": 8, "width": 4, "shortcut": op, "activation": activation}, (1, 8, 8), 3)
        network(torch.randn(4, 1, 8, 8)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in network.parameters())

    def test_is_drawn(self, op):
        drawn = SHORTCUTS[op].drawing(complete_shortcut(op))
        assert (drawn == ShortcutDrawing()) == (op == "identity")
        assert drawn.sentence()

    def test_says_whether_it_draws_random_numbers(self, op):
        merge, (x, residual) = shortcut(op).train(), signals()
        before = torch.get_rng_state(), random.getstate()
        merge(x, residual)
        drew = not torch.equal(before[0], torch.get_rng_state()) or before[1] != random.getstate()
        assert drew == SHORTCUTS[op].is_random

    def test_fused_it_computes_what_each_network_computes(self, op):
        several = [shortcut(op).eval() for _ in range(3)]
        for number, each in enumerate(several):
            for parameter in each.parameters():
                nn.init.normal_(parameter, generator=torch.Generator().manual_seed(number))
        fused = fusion.fuse(several) if list(several[0].parameters()) else several[0].fused(3)
        if SHORTCUTS[op].is_random:
            assert several[0].fused(3) is None
            return
        fused.eval()
        with torch.no_grad():
            fusion.load(fused, several)
        inputs = [(torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3)) for _ in several]
        together = fused(*(torch.cat(each, 1) for each in zip(*inputs, strict=True)))
        apart = [each(*signals) for each, signals in zip(several, inputs, strict=True)]
        torch.testing.assert_close(together, torch.cat(apart, 1))

    def test_changes_the_shape_where_the_unit_does(self, op):
        merged = shortcut(op, in_channels=2, out_channels=4, stride=2)(torch.randn(2, 2, 6, 6), torch.randn(2, 4, 3, 3))
        assert merged.shape == (2, 4, 3, 3)

    def test_concatenates_where_it_can(self, op):
        if "concat" in SHORTCUTS[op].merges:
            assert shortcut(op, merge="concat")(*signals()).shape == (2, 8, 3, 3)
        else:
            with pytest.raises(SettingError, match="concat"):
                complete_shortcut(op, "concat")


def test_an_operation_that_says_nothing_of_its_drawing_is_a_box_with_its_name(monkeypatch):
    class SqueezeGate(Shortcut):
        pass

    monkeypatch.setitem(SHORTCUTS, "squeeze_gate", SqueezeGate)
    unit = describe_network({"depth": 8, "shortcut": "squeeze_gate"}).unit
    assert unit.shortcut == ShortcutDrawing(("squeeze gate",))
    assert unit.note == "squeeze_gate"


def test_identity_adds():
    x, residual = signals()
    torch.testing.assert_close(shortcut("identity")(x, residual), x + residual)


def test_none_is_the_residual():
    x, residual = signals()
    assert shortcut("none")(x, residual) is residual


def test_scale_multiplies_both():
    x, residual = signals()
    merged = shortcut({"op": "scale", "shortcut": 0.5, "residual": 0.25})(x, residual)
    torch.testing.assert_close(merged, 0.5 * x + 0.25 * residual)


def test_exclusive_gate_shares_one_between_the_paths():
    x, residual = signals()
    module = shortcut({"op": "exclusive_gate", "bias": -6})
    gate = torch.sigmoid(module.gate(x))
    torch.testing.assert_close(module(x, residual), gate * residual + (1 - gate) * x)


def test_shortcut_gate_leaves_the_residual():
    x, residual = signals()
    module = shortcut("shortcut_gate")
    torch.testing.assert_close(module(x, residual), residual + (1 - torch.sigmoid(module.gate(x))) * x)


def test_gates_start_at_their_bias():
    assert shortcut({"op": "exclusive_gate", "bias": -6}).gate.bias.eq(-6).all()


def test_conv1x1_convolves_with_batch_normalisation_by_default():
    assert [type(layer) for layer in shortcut("conv1x1").resize] == [nn.Conv2d, BatchNorm]
    assert isinstance(shortcut({"op": "conv1x1", "bn": False}).resize, nn.Conv2d)


def test_dropout_keeps_the_expectation_when_it_rescales():
    x, residual = torch.ones(2, 4, 50, 50), torch.zeros(2, 4, 50, 50)
    assert set(shortcut("dropout")(x, residual).unique().tolist()) == {0.0, 2.0}
    torch.testing.assert_close(shortcut("dropout").eval()(x, residual), x)


def test_dropout_without_rescaling_halves_the_shortcut_at_test_time():
    x, residual = torch.ones(2, 4, 50, 50), torch.zeros(2, 4, 50, 50)
    module = shortcut({"op": "dropout", "rescale": False})
    assert set(module(x, residual).unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(module.eval()(x, residual), 0.5 * x)


def test_a_learned_scalar_starts_as_the_shortcut_alone():
    x, residual = signals()
    torch.testing.assert_close(shortcut("learned_scalar")(x, residual), x)


def test_layer_scale_has_one_factor_a_channel():
    assert shortcut({"op": "layer_scale", "start": 0.1}).factors.shape == (4, 1, 1)


def test_stochastic_depth_survives_less_in_later_units():
    survivals = [shortcut("stochastic_depth", index=index).survival for index in range(4)]
    assert survivals == [0.875, 0.75, 0.625, 0.5]


def test_stochastic_depth_has_one_survival_when_constant():
    assert shortcut({"op": "stochastic_depth", "schedule": "constant"}, index=0).survival == 0.5


def test_stochastic_depth_scales_the_residual_at_test_time():
    x, residual = signals()
    torch.testing.assert_close(shortcut("stochastic_depth").eval()(x, residual), x + 0.875 * residual)


def test_stochastic_depth_drops_whole_images():
    torch.manual_seed(0)
    module = shortcut({"op": "stochastic_depth", "per": "image"}, index=3)
    merged = module(torch.zeros(64, 4, 1, 1), torch.ones(64, 4, 1, 1))
    assert {image.unique().numel() for image in merged} == {1}
    assert set(merged.unique().tolist()) == {0.0, 1.0}


def test_pad_takes_every_second_pixel_and_adds_zero_channels():
    x = torch.randn(2, 2, 4, 4)
    padded = Pad(place(in_channels=2, out_channels=4, stride=2))(x)
    torch.testing.assert_close(padded[:, :2], x[:, :, ::2, ::2])
    assert not padded[:, 2:].any()


@pytest.mark.parametrize(
    ("value", "message", "key"),
    [
        ("identitty", 'did you mean "identity"', ()),
        ({"op": "scael"}, 'did you mean "scale"', ("op",)),
        ({"op": ["identity"]}, "unknown shortcut", ("op",)),
        ({"op": "scale", "shortcut": "x"}, "must be a number", ("shortcut",)),
        ({"op": "dropout", "rate": 1.0}, "from 0 below 1", ("rate",)),
        ({"op": "exclusive_gate", "bais": 1}, 'did you mean "bias"', ("bais",)),
        ({"bias": 1}, "with op", ()),
        (3, "with op", ()),
    ],
)
def test_wrong_shortcuts_are_refused(value, message, key):
    with pytest.raises(SettingError) as caught:
        complete_shortcut(value)
    assert message in caught.value.message
    assert caught.value.key == key
