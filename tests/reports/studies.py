"""Invented studies: every number here is made up for the tests, in the range of what small networks on digits give."""

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

from reports.results import Environment, Study
from reports.trials import Arm, Epoch, Scalar, State, Trial

START = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)

FINAL_ERROR = {
    ("plain", 20): 2.7,
    ("plain", 56): 60.0,
    ("plain", 110): 90.0,
    ("original", 20): 1.6,
    ("original", 56): 1.7,
    ("original", 110): 5.3,
    ("preact", 20): 1.9,
    ("preact", 56): 1.8,
    ("preact", 110): 1.75,
}

SOURCE = """\
study: degradation
question: Do deeper networks still train, and which block lets them?
data: digits
network: {family: resnet_cifar, depth: 56, width: 8}
factors:
  depth: [20, 56, 110]
  variant:
    plain: {shortcut: none}
    original: {}
    preact: {activation: full_preact}
design: full_factorial
baseline: {variant: original}
training: {recipe: quick, epochs: 10}
seeds: 3
fail_above: 20
"""

HOSTILE = (
    '</script><script>alert("x")</script>',
    '"><img src=x onerror=alert(1)>',
    "=cmd()|'/C calc'!A0",
    "%$_&#{}~^\\ | `x` **b**",
    "\u202eabc \u05e9\u05dc\u05d5\u05dd",
    "\U0001f600 caf\u00e9 \u2028 line\nbreak",
    "x" * 300,
)


def curve(final: float, epochs: int, noise: random.Random, stop: int | None = None) -> tuple[Epoch, ...]:
    """A falling curve that ends at `final`; with `stop`, one that explodes at that epoch."""
    rows = []
    for epoch in range(1, (stop or epochs) + 1):
        share = math.exp(-5 * epoch / epochs)
        test = round(min(max(final + (90 - final) * share * noise.uniform(0.8, 1.1), 0.0), 90.3), 4)
        test = final if epoch == epochs else test
        train = round(max(test * 0.6 - 0.4, 0.0), 4)
        loss = 1e13 if epoch == stop else round(test / 40 + 0.01, 5)
        lr = 0.1 if epoch <= epochs / 2 else 0.01
        rows.append(Epoch(epoch, loss, train, loss, test, lr, 0.7))
    return tuple(rows)


def trial(number: int, arm: str, seed: int, final: float, epochs: int = 10, **changes: object) -> Trial:
    noise = random.Random(f"{arm}/{seed}")
    rows = curve(round(max(final + noise.gauss(0, 0.08 * final + 0.1), 0.0), 4), epochs, noise)
    last = rows[-1]
    begun = START + timedelta(seconds=20 * number)
    whole = Trial(
        id=f"{number:016x}",
        arm=arm,
        seed=seed,
        state=State.COMPLETE,
        test_error=last.test_error,
        train_error=last.train_error,
        test_loss=last.test_loss,
        train_loss=last.train_loss,
        seconds=7.0,
        images_per_second=2052.5,
        device="cpu",
        host="node-seven",
        attempts=1,
        started_at=begun,
        finished_at=begun + timedelta(seconds=7),
        environment="e1",
        curve=rows,
    )
    return replace(whole, **changes)


def diverged(number: int, arm: str, seed: int, stop: int = 4, epochs: int = 10) -> Trial:
    rows = curve(90.0, epochs, random.Random(f"{arm}/{seed}"), stop)
    return trial(
        number,
        arm,
        seed,
        90.0,
        state=State.DIVERGED,
        reason="loss 1e+13 is more than 1000 times the first epoch's",
        test_error=None,
        diverged_at=stop,
        loss_before_divergence=2.31,
        curve=rows,
    )


def unfinished(number: int, arm: str, seed: int, state: State, **changes: object) -> Trial:
    return Trial(id=f"{number:016x}", arm=arm, seed=seed, state=state, **changes)


def arm(levels: dict[str, Scalar], **network: Scalar) -> Arm:
    depth = int(levels.get("depth", 20)) if isinstance(levels.get("depth", 20), int) else 20
    settings = {
        "data": {"name": "digits"},
        "network": {"family": "resnet_cifar", "depth": depth, "width": 8, "shortcut": {"op": "identity"}, **network},
        "training": {"recipe": "quick", "epochs": 10, "lr": 0.1},
    }
    name = " ".join(f"{key}={value}" for key, value in levels.items()) or "baseline"
    found = description(depth, str(network.get("activation", "original")), str(network.get("shortcut", "identity")))
    return Arm(name, levels, settings, 750 * depth, 120_000 * depth, graph=name, description=found)


def description(depth: int, activation: str, shortcut: str) -> dict[str, object]:
    """What the driver keeps of a network: words, stages that add up to the arm's cost, and the unit."""
    shapes = {"stem": (8, 8, 8), "stage1": (8, 8, 8), "stage2": (16, 4, 4), "stage3": (32, 2, 2), "classifier": (10,)}
    stages = [
        {
            "name": name,
            "shape": list(shape),
            "units": (depth - 2) // 6 if "stage" in name else None,
            "convolutions": 1 if name == "stem" else (depth - 2) // 3 if "stage" in name else 0,
            "params": 150 * depth,
            "flops": 24_000 * depth,
            "activations": 512,
        }
        for name, shape in shapes.items()
    ]
    skip = {"layers": [], "shortcut_factor": "", "residual_factor": "", "gate": [], "gate_name": "g"}
    if shortcut not in ("identity", "none"):
        skip["layers"] = [shortcut]
    unit = {
        "before": [],
        "branch": ["BN", "ReLU", "3×3 conv"] if activation == "full_preact" else ["3×3 conv", "BN", activation],
        "shortcut": None if shortcut == "none" else skip,
        "merge": "add",
        "after": [],
        "note": shortcut,
    }
    return {
        "words": [f"An invented network with {depth} layers, {activation}, {shortcut}."],
        "stages": stages,
        "unit": unit,
    }


def study(
    arms: Iterable[Arm], trials: Iterable[Trial], factors: dict[str, tuple[Scalar, ...]], **more: object
) -> Study:
    whole = Study(
        name="degradation",
        question="Do deeper networks still train, and which block lets them?",
        source=SOURCE,
        settings={
            "study": "degradation",
            "data": {"name": "digits", "root": "/home/somebody/data"},
            "network": {"family": "resnet_cifar", "depth": 56, "width": 8},
            "training": {"recipe": "quick", "epochs": 10, "batch_size": 64, "lr": 0.1},
            "design": "full_factorial",
            "seeds": [0, 1, 2],
            "fail_above": 20,
        },
        factors=factors,
        baseline={"variant": "original"},
        fail_above=20.0,
        arms=tuple(arms),
        trials=tuple(trials),
        environments=(
            Environment("e1", "node-seven", {"python": "3.11.9", "torch": "2.9.0", "cpu": "invented CPU", "cores": 2}),
        ),
        command="orchestrate run /home/somebody/ablation.yaml",
        git="0123456789abcdef0123456789abcdef01234567",
        plan_hash="fedcba9876543210",
        planned_at=START,
    )
    return replace(whole, **more)


NETWORK: dict[str, dict[str, Scalar]] = {
    "plain": {"shortcut": "none", "activation": "original"},
    "original": {"activation": "original"},
    "preact": {"activation": "full_preact"},
}


def degradation(seeds: int = 3) -> Study:
    """Depth x variant x seeds, everything finished."""
    arms, trials = [], []
    for depth in (20, 56, 110):
        for variant in ("plain", "original", "preact"):
            one = arm({"depth": depth, "variant": variant}, **NETWORK[variant])
            arms.append(one)
            trials += [trial(len(trials) + seed, one.name, seed, FINAL_ERROR[variant, depth]) for seed in range(seeds)]
    return study(arms, trials, {"depth": (20, 56, 110), "variant": ("plain", "original", "preact")})


CLAIMS = (
    {"id": "better", "says": "preact < original", "where": "depth == 110", "by": 0.5},
    {"id": "worse", "says": "preact > original", "where": "depth == 110"},
    {"id": "everywhere", "says": "preact < original", "over": "average"},
    {"id": "alike", "says": "preact == original", "where": "depth <= 56", "within": 0.4},
    {"id": "fails", "says": "plain fails", "where": "depth == 110"},
    {"id": "grows", "says": "effect(preact, original) increases with depth"},
    {
        "id": "as-published",
        "says": "original and depth=110 == 6.61",
        "within": 2,
        "paper": {"sd": 0.16, "n": 5, "ref": "deep-residual-learning/table-6/resnet-110"},
    },
    {"id": "alone", "says": "original and depth=20 == 8.75", "within": 1, "paper": {"ref": "He 2015, <Table 6>"}},
)


def judged() -> Study:
    """Claims of every kind, looks that are not all taken, and a baseline that was repeated."""
    whole = degradation(5)
    settings = {**whole.settings, "seeds": {"looks": [5, 8], "aa": True}, "claims": [dict(each) for each in CLAIMS]}
    extra = []
    for one in whole.arms:
        variant, depth = str(one.levels["variant"]), int(one.levels["depth"])
        more = (5, 6, 7) if depth == 110 else ()
        seeds = (*more, *((8, 9, 10) if variant == "original" else ()))
        extra += [trial(100 + 20 * len(extra) + seed, one.name, seed, FINAL_ERROR[variant, depth]) for seed in seeds]
    return replace(whole, settings=settings, trials=(*whole.trials, *extra))


def full_grid() -> Study:
    """Depth x variant without any fail, so that the variance can be shared out."""
    arms, trials = [], []
    for depth in (20, 56, 110):
        for variant in ("original", "preact"):
            one = arm({"depth": depth, "variant": variant}, **NETWORK[variant])
            arms.append(one)
            trials += [trial(len(trials) + seed, one.name, seed, FINAL_ERROR[variant, depth]) for seed in range(3)]
    return study(arms, trials, {"depth": (20, 56, 110), "variant": ("original", "preact")})


def troubled() -> Study:
    """The same with trials that diverged, crashed, were pruned, are running and wait."""
    whole = degradation()
    trials = list(whole.trials)
    trials[6] = diverged(6, trials[6].arm, 0)
    trials[7] = diverged(7, trials[7].arm, 1, stop=6) if trials[7].arm == trials[6].arm else trials[7]
    trials[17] = unfinished(17, trials[17].arm, 2, State.RUNNING, curve=trials[17].curve[:3], started_at=START)
    trials[22] = unfinished(
        22, trials[22].arm, 1, State.FAILED, reason="out of memory in /home/somebody/x.py", attempts=3
    )
    trials[25] = unfinished(25, trials[25].arm, 1, State.WAITING)
    trials[26] = unfinished(26, trials[26].arm, 2, State.PRUNED, reason="stopped by the scheduler at epoch 3")
    trials[19] = diverged(19, trials[19].arm, 1, stop=3)
    return replace(whole, trials=tuple(trials))


def all_fail() -> Study:
    whole = degradation()
    return replace(
        whole, trials=tuple(diverged(number, each.arm, each.seed) for number, each in enumerate(whole.trials))
    )


def without_results() -> Study:
    whole = degradation()
    waiting = [unfinished(number, each.arm, each.seed, State.WAITING) for number, each in enumerate(whole.trials)]
    return replace(whole, trials=tuple(waiting), environments=())


def one_factor() -> Study:
    """Eight shortcuts at one depth: no numeric factor, more lines than colours."""
    names = ("identity", "scale", "gate", "gate0", "conv1x1", "dropout", "none", "layer_scale")
    arms = [arm({"shortcut": name}, shortcut=name) for name in names]
    trials = [trial(3 * at + seed, one.name, seed, 1.5 + 2.0 * at) for at, one in enumerate(arms) for seed in range(3)]
    return study(arms, trials, {"shortcut": names}, baseline={"shortcut": "identity"})


def many_arms() -> Study:
    """Twenty-five variants without an order: more than a first screen has room for, the baseline among the worst."""
    names = tuple(f"recipe {at}" for at in range(25))
    arms = [arm({"variant": name}, shortcut=name) for name in names]
    trials = [trial(3 * at + seed, one.name, seed, 9.0 - 0.3 * at) for at, one in enumerate(arms) for seed in range(3)]
    return study(arms, trials, {"variant": names}, baseline={"variant": "recipe 0"})


def two_epochs() -> Study:
    """The same arms after a training of two epochs."""
    whole = many_arms()
    short = [replace(each, curve=curve(each.test_error or 0.0, 2, random.Random(each.id))) for each in whole.trials]
    return replace(whole, trials=tuple(short))


def many_rows() -> Study:
    """As many differences to the baseline as a figure holds: one that is higher than a printed page."""
    names = tuple(f"recipe {at}" for at in range(50))
    arms = [arm({"variant": name}, shortcut=name) for name in names]
    trials = [trial(2 * at + seed, one.name, seed, 9.0 - 0.1 * at) for at, one in enumerate(arms) for seed in range(2)]
    return study(arms, trials, {"variant": names}, baseline={"variant": "recipe 0"})


def seven_factors() -> Study:
    """As many columns of trials as a thorough study has."""
    factors: dict[str, tuple[Scalar, ...]] = {
        "activation": ("original", "full_preact"),
        "shortcut": ("identity", "shortcut_gate(-6)"),
        "depth": (56, 110),
        "downsample": ("pad", "projection_everywhere"),
        "block": ("basic",),
        "training.lr": (0.1, 0.05),
        "training.batch_size": (64,),
    }
    arms = [arm(dict(zip(factors, levels, strict=True))) for levels in product(*factors.values())]
    trials = [trial(at, one.name, 0, 2.0 + 0.1 * at) for at, one in enumerate(arms)]
    return study(arms, trials, factors, baseline={"activation": "original"})


def hostile() -> Study:
    """Names and reasons that would break a page, a sheet or a LaTeX file that trusted them."""
    arms, trials = [], []
    for depth in (20, 56):
        for variant in HOSTILE:
            one = arm({"depth": depth, "variant": variant}, activation=variant)
            arms.append(one)
            trials.append(trial(len(trials), one.name, 0, 3.0, reason=variant, device=variant, host=variant))
            trials.append(diverged(len(trials), one.name, 1))
    return study(
        arms,
        trials,
        {"depth": (20, 56), "variant": HOSTILE},
        baseline={"variant": HOSTILE[0]},
        question=HOSTILE[0] + HOSTILE[1],
        source="study: x # " + HOSTILE[0],
        command=HOSTILE[1],
        git=HOSTILE[0],
        notes=HOSTILE[:2],
        environments=(Environment("e1", HOSTILE[0], {HOSTILE[1]: HOSTILE[0]}),),
    )


def large(arms: int = 400, seeds: int = 25, epochs: int = 20, fails: bool = False) -> Study:
    """Many arms and trials: depth x width x variant; with `fails` four factors, and one trial in fifty diverges."""
    depths, widths = (20, 32, 44, 56, 110), (4, 8, 16, 32)
    variants = tuple(f"wiring-{number:02d}" for number in range(arms // 20))
    rates = (0.1, 0.01) if fails else (0.1,)
    made, trials = [], []
    for depth in depths:
        for width in widths:
            for at, variant in enumerate(variants):
                levels: dict[str, Scalar] = {"depth": depth, "width": width, "variant": variants[at // len(rates)]}
                levels |= {"lr": rates[at % 2]} if fails else {}
                one = arm(levels, activation=variant)
                made.append(one)
                final = 1.0 + at * 0.8 + depth / 40 - width / 40
                for seed in range(seeds):
                    ends = {"state": State.DIVERGED, "diverged_at": 3} if fails and len(trials) % 50 == 7 else {}
                    trials.append(trial(len(trials), one.name, seed, final, epochs, **ends))
    factors: dict[str, tuple[Scalar, ...]] = {"depth": depths, "width": widths, "variant": variants}
    if fails:
        factors |= {"variant": variants[: arms // 40], "lr": rates}
    return study(made, trials, factors, baseline={"variant": variants[0]})
