"""The live picture of a study stays readable, and quick to draw, when it has many trials."""

import io

from rich.console import Console

from orchestrator.records.events import AttemptStarted, TrialEnded
from orchestrator.records.study_plan import PlannedTrial
from orchestrator.scheduling.progress import Progress
from orchestrator.terminal.live import MOST_ARMS, LiveDisplay, PlainDisplay
from reports.trials import State
from search_spaces.arm import Arm


def planned(arms: int, seeds: int) -> Progress:
    progress = Progress()
    for number in range(arms):
        arm = Arm(f"depth={number}", {}, {}, "x")
        for seed in range(seeds):
            progress.add(PlannedTrial(f"{number}/{seed}", arm, seed, "f"), State.WAITING, 1.0, epochs=2)
    return progress


def picture(display: LiveDisplay) -> list[str]:
    console = Console(file=io.StringIO(), width=100)
    console.print(display)
    return console.file.getvalue().splitlines()


def test_arms_in_training_come_first_and_finished_ones_last() -> None:
    progress = planned(arms=100, seeds=1)
    display = LiveDisplay(progress)
    display(TrialEnded("0/0", State.COMPLETE))
    display(AttemptStarted("77/0", "cpu", "host", {}))
    lines = picture(display)
    assert lines[1].startswith("depth=77")
    assert not any(line.startswith("depth=0 ") for line in lines)
    assert f"... and {100 - MOST_ARMS} more arms" in "\n".join(lines)


def test_ten_thousand_trials_fit_a_screen() -> None:
    progress = planned(arms=2, seeds=5000)
    display = LiveDisplay(progress)
    for number in range(40):
        display(AttemptStarted(f"0/{number}", "cpu", "host", {}))
    display(TrialEnded("0/0", State.COMPLETE))
    lines = picture(display)
    assert len(lines) < 25
    assert "4960 ·  39 ▸  1 ●" in lines[1]
    assert "... and 23 more in training" in "\n".join(lines)
    assert "1 complete, 39 running, 9960 waiting" in lines[-1]


def test_a_line_counts_what_a_search_can_have_at_most_until_all_of_it_is_known() -> None:
    lines: list[str] = []
    progress = planned(arms=1, seeds=2)
    progress.most = 3
    display = PlainDisplay(progress, lines.append)
    display(TrialEnded("0/0", State.COMPLETE))
    progress.add(PlannedTrial("0/2", Arm("depth=0", {}, {}, "x"), 2, "f"), State.WAITING, 1.0, epochs=2)
    display(TrialEnded("0/1", State.COMPLETE))
    assert [line.partition("]")[0] for line in lines] == ["[1 of at most 3", "[2/3"]


def test_the_time_that_a_search_may_still_take_is_told_as_the_most_that_it_is() -> None:
    lines: list[str] = []
    progress = planned(arms=1, seeds=2)
    progress.most, progress.clock = 4, iter((0.0, 10.0, 10.0, 20.0, 20.0)).__next__
    display = PlainDisplay(progress, lines.append)
    for event in (AttemptStarted("0/0", "cpu", "host", {}), TrialEnded("0/0", State.COMPLETE)):
        display(event)
    progress.most = 0
    display(TrialEnded("0/1", State.COMPLETE))
    assert lines[0].endswith("; at most about 30 s left")
    assert "left" not in lines[1]
