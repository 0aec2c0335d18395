"""The sentence of a verdict says what it rests on."""

import pytest

from reports.trials import State
from tests.reports.analysis.build import study
from tests.reports.analysis.claims import verdicts_of

DONE = [5.0, 5.5, 5.1, 5.2]


@pytest.mark.parametrize(
    ("open_seeds", "said"),
    [(1, "1 trial has to end before it is judged."), (2, "2 trials have to end before it is judged.")],
)
def test_trials_that_are_waited_for_are_counted(open_seeds, said):
    running = dict(enumerate(DONE)) | {4: State.RUNNING}
    other = dict(enumerate(DONE)) | {4: State.WAITING if open_seeds == 2 else 5.3}
    made = study([({"variant": "preact"}, running), ({"variant": "original"}, other)])
    (found,) = verdicts_of(made, {"says": "preact < original"})
    assert found.waiting == open_seeds
    assert said in found.sentence


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.FAILED, "No seed has a reading in all of its arms (n=0)."),
        (State.WAITING, "No result yet (n=0)."),
    ],
)
def test_a_claim_without_a_reading_says_whether_one_can_still_come(state, said):
    made = study(
        [({"variant": "preact"}, dict.fromkeys(range(4), state)), ({"variant": "original"}, dict(enumerate(DONE)))]
    )
    (found,) = verdicts_of(made, {"says": "preact < original"})
    assert said in found.sentence
