"""What the numbers of a study are about: which images, how fine a step, and what trials of one seed share."""

from collections.abc import Iterable

from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.arm_facts import data_info
from trainers.settings.data import SPLIT_BY_SEED

SHARED = (
    "Arms of one seed share batch order, crops and dropout streams; start weights as a rule only where all tensors of "
    "their networks have the same shapes, in the same order"
)


def estimand_notes(arms: Iterable[PlannedArm]) -> list[str]:
    """Name the estimand in a sentence for each size of test set."""
    sentences: dict[str, None] = {}
    for each in arms:
        info = data_info(each.arm)
        if each.arm.settings["data"].get(SPLIT_BY_SEED, False):
            whole = info.train_size + info.validation_size + info.test_size
            sentences[f"{_drawn(info.test_size, whole)}. {SHARED}"] = None
        elif info.test_size:
            sentences[f"{_fixed(info.test_size)}. {SHARED}"] = None
    return list(sentences)


def _fixed(size: int) -> str:
    return (
        f"estimand: the mean over seeds of the error on one fixed set of {size:,} test images, one of which is "
        f"{_step(size)} points; intervals cover the seeds, not the choice of the images"
    )


def _drawn(size: int, whole: int) -> str:
    return (
        f"estimand: the mean over seeds of the error on {size:,} test images that each seed draws from all {whole:,}, "
        f"one of which is {_step(size)} points; intervals cover the seeds and the choice of the test images among "
        "those, not that of other images"
    )


def _step(size: int) -> str:
    return f"{100 / size:.2g}"
