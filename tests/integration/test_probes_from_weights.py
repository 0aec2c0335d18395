"""What a study's probes found agrees with brute force on the networks that `load_study` makes of the kept weights."""

import copy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from orchestrator import RunOptions, load_study, run_study
from tests.trainers.probes import (
    test_gradient_flow,
    test_layer_response,
    test_lesion,
    test_loss_surface,
    test_path_gradient,
)
from trainers.data import load
from trainers.seeding import derive

pytestmark = pytest.mark.slow

STUDY = """\
study: probed
data: digits
network: {family: resnet_cifar, width: 4, depth: 8}
factors: {variant: {original: {}, plain: {shortcut: none}}}
baseline: {variant: original}
training: {recipe: quick, epochs: 4, batch_size: 64}
seeds: 2
keep: last
probes:
  - layer_response
  - {name: gradient_flow, every: 9, images: 1437}
  - {name: lesion, draws: 1, tolerance: 20, swaps: false}
  - {name: path_gradient, draws: 1, images: 1437}
  - {name: loss_surface, points: 5, images: null, radius: 0.5}
  - {name: sharpness, count: 1, steps: 24, images: 64}
  - {name: interpolation, points: 3, images: null}
  - {name: identity_distance, images: null, retrain: 1}
"""
ORIGINAL, PLAIN = "variant=original", "variant=plain"
ARMS = (ORIGINAL, PLAIN)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory):
    """Train and measure the study in a folder of its own."""
    folder: Path = tmp_path_factory.mktemp("probed")
    (folder / "study.yaml").write_text(STUDY)
    db = f"sqlite:///{folder}/results.db"
    run_study(folder / "study.yaml", db=db, options=RunOptions(executor="inline", report=False, out=folder / "out"))
    return load_study("probed", db=db)


@dataclass(frozen=True)
class Facts:
    """The number of test images."""

    test_size: int = 360


@dataclass
class Kept:
    """A network made of kept weights, and images normalised as it says; nothing here is of a probe."""

    network: torch.nn.Module
    seed: int
    info: Facts = Facts()

    @cached_property
    def training(self):
        return self._normalised(load("digits", torch.device("cpu")).train)

    def test_images(self):
        return [self._normalised(load("digits", torch.device("cpu")).test)]

    def training_images(self, most=None):
        images, labels = self.training
        order = torch.randperm(1437, generator=torch.Generator().manual_seed(derive(0, "probe")))
        chosen = order[: most or 1437].sort().values
        return [(images[chosen], labels[chosen])]

    def generator(self, number):
        return torch.Generator().manual_seed(derive(self.seed, "probe", number))

    def loss(self, network=None):
        images, labels = self.training
        with torch.no_grad():
            return F.cross_entropy((network or self.network)(images), labels).item()

    def error(self, network=None):
        return test_lesion.error_of(network or self.network, self)

    def _normalised(self, images):
        return self.network.normalisation(images.pixels), images.labels


@pytest.fixture
def kept(frames):
    return lambda arm, seed=0: Kept(frames.network(arm, seed), seed)


@pytest.fixture
def found(frames):
    """Return the rows and scalars of a probe in one network."""

    def find(kind, arm, seed=0):
        trial = next(each.id for each in frames.study.trials_of(arm) if each.seed == seed)
        values = next(m.values for m in frames.study.measurements if (m.trial, m.kind) == (trial, kind))
        assert "failed" not in values
        return values["rows"], values["scalars"]

    return find


def column(rows, name):
    return [row["numbers"][name] for row in rows]


def test_the_study_trained_something(frames, kept):
    assert max(frames.trials()["test_error"]) < 60
    assert kept(ORIGINAL).error() == pytest.approx(frames.trials().query("variant == 'original'")["test_error"].iloc[0])


def test_layer_responses(found, kept):
    rows, _ = found("layer_response", ORIGINAL)
    subject = kept(ORIGINAL)
    with torch.no_grad():
        responses, ratios = test_layer_response.by_hand(subject.network, subject.training[0])
    assert column(rows, "response") == pytest.approx(responses, rel=1e-4)
    assert [each for each in column(rows, "branch_to_shortcut") if each is not None] == pytest.approx(ratios, rel=1e-4)


@pytest.mark.parametrize("arm", ARMS)
def test_signals_and_gradients(arm, found, kept):
    rows, scalars = found("gradient_flow", arm)
    trained = [row for row in rows if row["epoch"] == 4]
    expected = test_gradient_flow.by_hand(kept(arm), *kept(arm).training)
    for at, name in enumerate(("signal_sd", "gradient_norm", "weight_gradient_norm")):
        assert column(trained, name) == pytest.approx([each[at] for each in expected], rel=2e-3)
    assert scalars["first_to_last_trained"] == pytest.approx(expected[0][1] / expected[-1][1], rel=2e-3)


def without(subject, arm, units):
    """Return a copy of the network in which units are replaced by their shortcut, or by nothing in a plain one."""
    network = copy.deepcopy(subject.network)
    for unit in units:
        alone = test_lesion.ShortcutAlone(network.stages[unit][0]) if arm == ORIGINAL else torch.nn.Identity()
        test_lesion.place(network, unit, alone)
    return network


@pytest.mark.parametrize("arm", ARMS)
def test_deleted_units_and_the_effective_depth(arm, found, kept):
    rows, scalars = found("lesion", arm)
    subject = kept(arm)
    whole = subject.error()
    removable = [0, 1, 2] if arm == ORIGINAL else [0]  # the others of a plain network change their signal's shape
    harm = {unit: subject.error(without(subject, arm, [unit])) - whole for unit in removable}
    single = {row["at"]["unit"]: row["numbers"]["increase"] for row in rows if row["at"]["order"] == "single"}
    assert single == {unit: pytest.approx(harm[unit]) if unit in harm else None for unit in range(3)}
    assert scalars["one_unit"] == pytest.approx(median(harm.values()))
    order = sorted(removable, key=harm.__getitem__)
    errors = [subject.error(without(subject, arm, order[:count])) - whole for count in range(1, len(order) + 1)]
    gone = next((at for at, error in enumerate(errors) if error > 20), len(errors))
    assert scalars["effective_depth"] == 3 - gone
    assert scalars["removable_share"] == pytest.approx(100 * gone / len(removable))
    chosen = [row for row in rows if row["at"]["order"] == "random"]
    assert [row["at"]["count"] for row in chosen] == ([1, 2, 3] if arm == ORIGINAL else [1])
    for row in chosen:
        assert row["numbers"]["test_error"] == pytest.approx(subject.error(without(subject, arm, row["at"]["deleted"])))


def test_gradients_along_paths(found, kept):
    rows, _ = found("path_gradient", ORIGINAL)
    subject = kept(ORIGINAL)
    paths = [row for row in rows if row["at"]["draw"] is not None]
    assert [row["at"]["length"] for row in paths] == [0, 1, 2, 3]
    for row in paths:
        expected = test_path_gradient.by_hand(subject, *subject.training, row["at"]["through"]).norm().item()
        assert row["numbers"]["gradient_norm"] == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("arm", ARMS)
def test_the_loss_surface_and_its_numbers(arm, found, kept):
    rows, scalars = found("loss_surface", arm)
    subject, grid = kept(arm), {}
    for row in rows:
        x, y = row["at"]["x"], row["at"]["y"]
        grid[x, y], error = test_loss_surface.by_hand(subject, x, y, None)
        assert row["numbers"]["loss"] == pytest.approx(grid[x, y], rel=1e-3)
        assert row["numbers"]["error"] == pytest.approx(error)
    steps = [-0.5, -0.25, 0.0, 0.25, 0.5]
    losses = np.array([[grid[x, y] for x in steps] for y in steps])
    along, across = np.gradient(losses, 0.25)
    assert scalars["slope"] == pytest.approx(np.hypot(along, across)[1:-1, 1:-1].max(), rel=1e-3)
    signs = [least_curvature(losses, row, at) < 0 for row in (1, 2, 3) for at in (1, 2, 3)]
    assert scalars["nonconvex_share"] == pytest.approx(100 * np.mean(signs))
    reach = [np.hypot(x, y) for (x, y), loss in grid.items() if loss >= 2 * grid[0.0, 0.0] and (x, y) != (0, 0)]
    assert scalars["radius"] == pytest.approx(min(reach, default=0.5))


def least_curvature(losses, row, at):
    """Return the smallest eigenvalue of the Hessian, by differences of differences."""
    part = losses[row - 1 : row + 2, at - 1 : at + 2]
    mixed = ((part[2, 2] - part[2, 0]) - (part[0, 2] - part[0, 0])) / 4
    hessian = [[np.diff(part[1], 2)[0], mixed], [mixed, np.diff(part[:, 1], 2)[0]]]
    return np.linalg.eigvalsh(hessian)[0]


def test_the_largest_eigenvalue_by_differences_of_gradients(found, kept):
    _, scalars = found("sharpness", ORIGINAL)
    subject = kept(ORIGINAL)
    network = copy.deepcopy(subject.network).double()
    ((images, labels),) = subject.training_images(64)
    parameters = list(network.parameters())
    centre = torch.nn.utils.parameters_to_vector(parameters).detach().clone()

    def gradient(place):
        torch.nn.utils.vector_to_parameters(place, parameters)
        parts = torch.autograd.grad(F.cross_entropy(network(images.double()), labels), parameters)
        return torch.cat([part.flatten() for part in parts])

    step, value = 1e-5, 0.0
    vector = torch.randn(len(centre), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for _ in range(80):
        vector /= vector.norm()
        image = (gradient(centre + step * vector) - gradient(centre - step * vector)) / (2 * step)
        value, vector = float(vector @ image), image
    assert scalars["largest"] == pytest.approx(value, rel=5e-3)


@pytest.mark.parametrize("arm", ARMS)
def test_the_line_to_the_next_seed(arm, found, kept):
    rows, scalars = found("interpolation", arm)
    first, second = kept(arm), kept(arm, 1)
    halfway = copy.deepcopy(first.network)
    halfway.load_state_dict(
        {
            name: (one + other) / 2 if one.is_floating_point() else one
            for (name, one), other in zip(
                first.network.state_dict().items(), second.network.state_dict().values(), strict=True
            )
        }
    )
    losses = [first.loss(), first.loss(halfway), first.loss(second.network)]
    assert column(rows, "loss") == pytest.approx(losses, rel=1e-4)
    assert scalars["barrier"] == pytest.approx(max(0.0, losses[1] - (losses[0] + losses[2]) / 2), abs=1e-4)


def test_distances_from_the_identity_and_what_a_unit_is_worth(found, kept):
    rows, scalars = found("identity_distance", ORIGINAL)
    subject = kept(ORIGINAL)
    with torch.no_grad():
        before = subject.network.stem(subject.training[0])
        after = subject.network.stages[0][0](before.clone())
    distance = ((after - before).norm() / before.norm()).item()
    assert column(rows, "distance") == [pytest.approx(distance, rel=1e-4), None, None]
    whole, less = copy.deepcopy(subject.network), without(subject, ORIGINAL, [0])
    errors = [retrained(network, subject) for network in (whole, less)]
    assert scalars["worth"] == pytest.approx(errors[1] - errors[0], abs=0.6)  # two of 360 images


def retrained(network, subject):
    """Return the test error after the epoch that would have come next, by plain SGD."""
    images, labels = subject.training
    order = torch.randperm(1437, generator=torch.Generator().manual_seed(derive(subject.seed, "order", 5)))
    velocity = [torch.zeros_like(each) for each in network.parameters()]
    network.train()
    for batch in order.split(64):
        loss = F.cross_entropy(network(images[batch]), labels[batch])
        gradients = torch.autograd.grad(loss, list(network.parameters()), materialize_grads=True)
        with torch.no_grad():
            for weight, speed, gradient in zip(network.parameters(), velocity, gradients, strict=True):
                speed.mul_(0.9).add_(gradient)
                weight.sub_(0.01 * speed)
    return subject.error(network.eval())
