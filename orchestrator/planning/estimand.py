"""What the numbers of a study are about: which images, how fine a step, and what trials of one seed share."""

from collections.abc import Iterable

from orchestrator.records.study_plan import PlannedArm
from orchestrator.scheduling.arm_facts import data_info


def estimand_notes(arms: Iterable[PlannedArm]) -> list[str]:
    """Name the estimand in a sentence for each size of test set."""
    sizes = dict.fromkeys(data_info(each.arm).test_size for each in arms)
    return [
        f"estimand: the mean over seeds of the error on one fixed set of {size:,} test images, one of which is "
        f"{_step(size)} points; intervals cover the seeds, not the choice of the images. Arms of one seed share batch "
        "order, crops and dropout streams; start weights only where their tensors have the same shapes"
        for size in sizes
        if size
    ]


def _step(size: int) -> str:
    return f"{100 / size:.2g}"
