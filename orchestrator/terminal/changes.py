"""Say in words what a change of the stored studies would do, or did."""

from collections.abc import Sequence

from orchestrator.scheduling.progress import duration
from orchestrator.storage.curation import Removal
from orchestrator.storage.merge import Merged
from reports.wording import counted


def removal_lines(removal: Removal, subject: str) -> list[str]:
    """Return what goes and what stays."""
    went = f"{subject}: {counted(removal.arms, 'arm')} and {counted(removal.trials, 'trial')} go"
    if removal.outcomes:
        went += f", {removal.outcomes} of them with a result ({duration(removal.seconds)} of training)"
    lines = [went]
    if removal.files:
        lines.append(f"{counted(len(removal.files), 'file')} of weights go too, {removal.bytes / 2**20:.1f} MiB")
    if removal.shared:
        lines.append(f"{counted(removal.shared, 'trial')} stay, which also belong to {', '.join(removal.users)}")
    return lines


def merged_lines(merged: Sequence[Merged]) -> list[str]:
    """Return what comes, study by study."""
    return [line for each in merged for line in _merged(each)]


def _merged(merged: Merged) -> list[str]:
    what = "is here already" if merged.known else "is new"
    come = f"{counted(merged.arms, 'arm')} and {counted(merged.trials, 'trial')} come"
    lines = [f"{merged.study} {what}: {come}"]
    if merged.completed:
        lines.append(f"{counted(merged.completed, 'trial')} without a result here get theirs")
    if merged.same:
        lines.append(f"{counted(merged.same, 'trial')} with a result in both keep the one here")
    if merged.different:
        lines.append(f"{merged.different} of these have another test error in the copy, as on other hardware")
    if merged.other_plan:
        lines.append("the copy has another plan: arms that only it has come as those of an earlier version")
    return lines
