"""The views of version 1: the front door for SQL, whose columns scripts and notebooks hold on to."""

_PLANNED = """
FROM arm_trials
JOIN arms ON arms.id = arm_trials.arm
JOIN studies ON studies.id = arms.study
JOIN trials ON trials.id = arm_trials.trial
"""

VIEWS = {
    "trial_results": f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, trials.state AS state, trials.reason AS reason,
    trials.epochs AS epochs, last.test_error AS test_error, last.train_error AS train_error,
    last.test_loss AS test_loss, last.train_loss AS train_loss, arms.params AS params, arms.flops AS flops,
    trials.seconds AS seconds, trials.images_per_second AS images_per_second, trials.device AS device,
    trials.host AS host, trials.started_at AS started_at, trials.finished_at AS finished_at, arms.levels AS factors
{_PLANNED}
LEFT JOIN epochs AS last ON last.trial = trials.id AND last.epoch = trials.epochs
WHERE NOT arm_trials.orphaned
""",
    "verdict_results": """
SELECT studies.name AS study, verdicts.claim AS claim, verdicts.says AS says, verdicts.verdict AS verdict,
    verdicts.estimate AS estimate, verdicts.low AS low, verdicts.high AS high, verdicts.margin AS margin,
    verdicts.n AS n, verdicts.p AS p, verdicts.decided_at AS decided_at
FROM verdicts
JOIN studies ON studies.id = verdicts.study
""",
    "curves": f"""
SELECT studies.name AS study, arms.name AS arm, trials.seed AS seed, epochs.epoch AS epoch,
    epochs.train_loss AS train_loss, epochs.train_error AS train_error, epochs.test_loss AS test_loss,
    epochs.test_error AS test_error, epochs.lr AS lr, epochs.seconds AS seconds
{_PLANNED}
JOIN epochs ON epochs.trial = trials.id
WHERE NOT arm_trials.orphaned
""",
}
