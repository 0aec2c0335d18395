"""Differences of no image at all, or of the same number of images in every seed, are no measurements of spread."""

import numpy as np
import pytest

from reports.analysis.effects import Sign
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

IMAGE = 100 / 360


def judged(images: list[int], claim, rounding=1e-6):
    """Two arms whose errors differ by that many images of digits' 360, each rounded as float32 rounds."""
    rng = np.random.default_rng(3)
    original = [(18 + seed % 3) * IMAGE for seed in range(len(images))]
    noise = rng.normal(0, rounding, (2, len(images)))
    shown = {
        "original": [float(value + each) for value, each in zip(original, noise[0], strict=True)],
        "preact": [
            float(value - count * IMAGE + each) for value, count, each in zip(original, images, noise[1], strict=True)
        ],
    }
    made = study([({"variant": name}, values) for name, values in shown.items()])
    return verdicts_of(made, claim)[0]


@pytest.mark.parametrize("says", ["preact < original", "preact > original"])
def test_no_image_of_difference_decides_nothing(says):
    found = judged([0] * 12, {"says": says})
    assert (found.verdict, found.p) == ("Inconclusive", 1.0)


def test_one_image_in_every_one_of_three_seeds_is_not_yet_enough():
    assert judged([1] * 3, {"says": "preact < original"}).verdict == "Inconclusive"
    assert judged([1] * 6, {"says": "preact < original"}).verdict == "Supported"


def test_a_loss_has_no_images():
    made = study([({"variant": "a"}, [5.0] * 4), ({"variant": "b"}, [5.0] * 4)])
    assert verdicts_of(made, {"says": "a < b", "metric": "test_loss"})[0].verdict == "Inconclusive"


@pytest.mark.parametrize("margin", [0.5, 1.0])
def test_the_sign_test_of_an_equality_is_the_same_from_both_sides(margin):
    values = (margin, margin, -0.2, 0.1, margin, 0.3)
    above, below = Sign(values), Sign(tuple(-each for each in values))
    assert above.p_within(margin) == below.p_within(margin) == pytest.approx(0.5**6)
    assert above.p_beyond(margin) == below.p_beyond(margin) == 1.0
