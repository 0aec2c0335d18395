import pytest
import torch

from trainers.data.augment import crop_and_flip, draw

CPU = torch.device("cpu")


def test_draws_are_a_function_of_seed_and_epoch():
    one, same, other = (draw(50, 4, True, *at, CPU) for at in ((1, 2), (1, 2), (1, 3)))
    assert torch.equal(one.top, same.top)
    assert torch.equal(one.mirror, same.mirror)
    assert not torch.equal(one.top, other.top)


def test_crop_and_flip_does_to_each_image_what_was_drawn():
    images = torch.randn(20, 3, 8, 8)
    draws = draw(20, 2, True, 0, 1, CPU)
    found = crop_and_flip(images, 2, draws)
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    for at in range(20):
        top, left = int(draws.top[at]), int(draws.left[at])
        window = padded[at, :, top : top + 8, left : left + 8]
        assert torch.equal(found[at], window.flip(2) if draws.mirror[at] else window)


def test_offsets_reach_both_edges():
    draws = draw(500, 4, False, 0, 1, CPU)
    assert (int(draws.top.min()), int(draws.top.max())) == (0, 8)
    assert not draws.mirror.any()


@pytest.mark.parametrize("flip", [True, False])
def test_half_of_the_images_are_mirrored_where_asked(flip):
    share = draw(4000, 0, flip, 0, 1, CPU).mirror.float().mean()
    assert abs(float(share) - (0.5 if flip else 0)) < 0.03
