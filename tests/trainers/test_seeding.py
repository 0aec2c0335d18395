import random

import numpy as np
import torch

from trainers.seeding import derive, generator, seeded


def test_each_purpose_and_epoch_has_its_own_seed():
    seeds = {derive(seed, purpose, epoch) for seed in (0, 1) for purpose in ("init", "order") for epoch in (0, 1)}
    assert len(seeds) == 8


def test_seeds_never_change():
    assert derive(0, "init") == 7615695542073086227


def test_a_seeded_block_leaves_the_callers_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(0, "dropout", 1):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(0, "dropout", 1):
        assert torch.equal(torch.rand(3), inside)


def test_python_and_numpy_draw_the_same_in_a_seeded_block_and_go_on_after_it():
    random.seed(1)
    np.random.seed(1)
    expected = random.random(), np.random.random()
    random.seed(1)
    np.random.seed(1)
    with seeded(0, "dropout", 1):
        inside = random.random(), np.random.random()
    assert (random.random(), np.random.random()) == expected
    with seeded(0, "dropout", 1):
        assert (random.random(), np.random.random()) == inside
    with seeded(1, "dropout", 1):
        assert (random.random(), np.random.random()) != inside


def test_generators_of_one_purpose_agree():
    one, other = (torch.randperm(9, generator=generator(3, "order", 2)) for _ in range(2))
    assert torch.equal(one, other)
