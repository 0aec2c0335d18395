"""What `training:` may say: every setting with its bounds, its unit and its default, read by `recipe.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from search_spaces.annotations import About, AboveZero, Length, Named, Range, Share

MOST = 1_000_000
"""No training has more epochs, and no batch more images."""
MOST_ITERATIONS = 10**9

Distribution = (
    Literal["as_built", "he_fan_in", "he_fan_out", "uniform_fan_in"]
    | Annotated[float, Range(low=0, open_low=True), About("a normal distribution's standard deviation")]
)


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Random changes of the training images.

    Images are padded once they are normalised, as the residual papers do, so that a padded pixel is a mean one.
    """

    crop: Annotated[int, Range(0, 64), About("zero padding of small images, from which a crop is taken", "pixels")] = 0
    flip: Annotated[bool, About("mirror every second image")] = False
    resize: Annotated[
        Literal["none", "shorter_side", "area"], About("how photographs are scaled before a crop is taken")
    ] = "none"
    colour: Annotated[bool, About("change the colours of photographs")] = False
    crop_first: Annotated[bool, About("pad before images are normalised, so that a padded pixel is black")] = False


@dataclass(frozen=True, kw_only=True)
class Init:
    """The distributions that weights start from; a number is the standard deviation of a normal one."""

    conv: Annotated[Distribution, About("of convolutions")] = "as_built"
    linear: Annotated[Distribution, About("of linear layers")] = "as_built"


@dataclass(frozen=True, kw_only=True)
class Warmup:
    """A warm-up at one fixed learning rate (arXiv:1512.03385, section 4.2)."""

    lr: Annotated[AboveZero, About("the learning rate until it ends")] = 0.01
    iterations: Annotated[int, Range(0, MOST_ITERATIONS), About("how long it takes", "steps")] = 400


Momenta = Annotated[
    list[Annotated[float, Range(0, 1, open_low=True)]],
    Length(2, 2),
    About("the lowest and the highest momentum of a cycle", example="momentum: [0.85, 0.95]"),
]


def one_cycle(
    *,
    warmup: Annotated[Share, About("the part of the steps in which the rate rises", "share")] = 0.2,
    start: Annotated[Share, About("the first rate", "share of lr")] = 0.04,
    end: Annotated[Share, About("the last rate", "share of lr")] = 4e-6,
    momentum: Momenta | None = None,
) -> None:
    """Rise to the peak and fall along two half cosines (arXiv:1708.07120)."""


def step(
    *,
    drops: Annotated[
        list[Annotated[float, Range(low=0)]] | None,
        About("when the rate drops, in `unit`", example="drops: [0.5, 0.75]"),
    ] = None,
    unit: Annotated[Literal["iterations", "epochs", "fraction"], About("what `drops` counts")] = "fraction",
    factor: Annotated[float, Range(0, 1, open_low=True), About("what each drop multiplies the rate by")] = 0.1,
    warmup: Annotated[Warmup | None, About("a warm-up at one rate")] = None,
) -> None:
    """Multiply the rate by `factor` at each drop; without `drops` they stand at 0.5 and 0.75 of the training."""


def cosine(
    *,
    warmup: Annotated[Share, About("the part of the steps in which the rate rises", "share")] = 0.0,
    end: Annotated[Share, About("the last rate", "share of lr")] = 0.0,
) -> None:
    """Rise linearly, then fall along half a cosine (arXiv:1608.03983)."""


def constant(*, warmup: Annotated[Warmup | None, About("a warm-up at one rate")] = None) -> None:
    """Keep the rate."""


SCHEDULE_SETTINGS: Mapping[str, Callable[..., None]] = {
    "one_cycle": one_cycle,
    "step": step,
    "cosine": cosine,
    "constant": constant,
}


@dataclass(frozen=True, kw_only=True)
class Training:
    """The settings of a training. A recipe names many of them; what is given beside it overrides its part."""

    epochs: Annotated[int | None, Range(1, MOST), About("passes over the training images; or give iterations")] = None
    iterations: Annotated[
        int | None, Range(1, MOST_ITERATIONS), About("steps, whatever the number of images; or give epochs")
    ] = None
    batch_size: Annotated[int, Range(2, MOST), About("how many images a step sees", "images")] = 128
    optimizer: Annotated[
        Literal["sgd", "adamw", "adam", "rmsprop"],
        About("what takes the steps; all but sgd have torch's own defaults of lr, momentum and weight_decay"),
    ] = "sgd"
    lr: Annotated[AboveZero, About("the largest learning rate, of which the schedule takes shares")] = 0.1
    momentum: Annotated[Share, About("the momentum of SGD and RMSprop; the first beta of Adam and AdamW")] = 0.9
    nesterov: Annotated[bool, About("Nesterov's form of the momentum")] = False
    momentum_form: Annotated[
        Literal["torch", "caffe"], About("in Caffe's form the velocity already contains the learning rate")
    ] = "torch"
    weight_decay: Annotated[float, Range(low=0), About("the factor of the L2 penalty's gradient")] = 1e-4
    decay: Annotated[Literal["all", "weights"], About("whether biases and batch norms decay too, or weights alone")] = (
        "all"
    )
    schedule: Annotated[
        Any,
        Named(lambda: SCHEDULE_SETTINGS, may_lack_name=True),
        About("how the learning rate changes; without a name, settings of the recipe's own schedule"),
    ] = field(default_factory=lambda: {"name": "constant"})
    normalise: Annotated[
        Literal["channel", "pixel_mean", "none"],
        About("by each channel's mean and deviation, by each pixel's mean, or not at all"),
    ] = "channel"
    augment: Annotated[
        Augment | Mapping[str, Any] | Literal["none"], About("random changes of the training images")
    ] = field(default_factory=dict)
    init: Annotated[Init | Mapping[str, Any], About("the distributions that weights start from")] = field(
        default_factory=dict
    )
    evaluate_every: Annotated[
        int, Range(1, MOST), About("the test set is measured so often, and at the end", "epochs")
    ] = 1
    diverged_above: Annotated[
        AboveZero, About("the mean training loss of an epoch above which a training has diverged", "nats")
    ] = 1e4
    precision: Annotated[
        Literal["fp32", "bf16", "auto", "autotune"],
        About("auto: bf16 on a GPU; autotune: the faster one on this machine; arms that are compared should share one"),
    ] = "fp32"
    memory_format: Annotated[
        Literal["contiguous", "channels_last", "auto"], About("auto: a rule by device, or the fastest by autotuning")
    ] = "auto"
    checkpoint_activations: Annotated[
        bool, About("compute activations again in the backward pass: less memory, a third more time, the same numbers")
    ] = False
    fuse: Annotated[
        Literal["never", "always", "auto"],
        About("auto: on a CPU the seeds of a pack compute as one grouped network, or by autotuning"),
    ] = "auto"
    autotune: Annotated[
        Literal["never", "auto"],
        About("auto: a long training times what is left open, and threads, and takes what is far faster"),
    ] = "auto"
    deterministic: Annotated[
        bool, About("false lets a GPU use algorithms that repeat themselves up to rounding only")
    ] = True
    cuda_graph: Annotated[
        Literal["never", "auto"], About("auto: on a GPU a step that can be is recorded once and replayed")
    ] = "auto"
    fused_norm: Annotated[
        Literal["never", "auto"], About("auto: on a GPU batch norm, addition and ReLU in Triton's kernels")
    ] = "never"
    fused_conv: Annotated[
        Literal["never", "auto"],
        About("auto: on a GPU convolutions too, those of all seeds of a pack at once; not yet timed on one"),
    ] = "never"
    step: Annotated[
        str | Mapping[str, Any] | None,
        About(
            "a function of your own that returns the loss and the error of each image; null: cross-entropy and wrong "
            "answers",
            example='step: {name: "package.module:function"}',
        ),
    ] = None
    profile: Annotated[bool, About("record the shares of a step's parts")] = False
