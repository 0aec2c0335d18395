"""The schema's history, as Alembic migrations that run by themselves when a database is opened.

# version history

1   tables studies, arms, arm_levels, trials, arm_trials, attempts, epochs, measurements, verdicts, environments,
    events; views trial_results, verdict_results, curves
2   epochs.val_loss and val_error, studies.search, table proposals: what an architecture search sees and does
3   arms.description: the network in words, stage by stage, and its unit as a drawing shows it
4   trials.cause, attempts.cause, attempts.traceback, attempts.log: what ended an attempt without a result
5   measurements.key, settings and seconds, table weights, view measurement_results: probes of trained networks
6   views trial_results, curves and verdict_results with the trial's id, orphaned, stage, validation, ISO 8601 moments;
    view data_dictionary
7   studies.lease_process: which process runs a study, whatever clocks and containers do
8   proposals.optimization and status, trials.loss_before_divergence: the field's names for campaign, fate and
    last_sound_loss
9   trial_results.gap and peak_memory: every metric of a trial has a column
10  measurements.found holds many rows as columns: a loss surface of 51 x 51 points in a fifth of the bytes
11  index of events by study and kind: the plans of a study are found among the events of all its trials

A new version is one more file in `versions/`, named after its number, whose `down_revision` is the version before it.
It never changes an older file, and names no table object of `orchestrator.storage.tables`, which describes the newest
version only. Raise `VERSION`, add a line above, and keep a database of the version before under `tests/stores/` for the
test that opens every one.

Views need no version: whenever a database is opened for writing, `orchestrator.storage.views` makes those anew that are
not as this version of the program wants them; who may only read sees those that are there. The files `views_N.py` are
history.
"""

VERSION = "11"
