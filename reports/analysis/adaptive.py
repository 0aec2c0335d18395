"""Which seeds to train next: whole blocks, only for claims that are undecided and can still be decided.

A pure function of the study so far. Which blocks run, and when one stops, depends on complete looks alone, never on
the value of a single trial; the error rate is that of the alpha spent at the looks, whatever is chosen here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from reports.analysis.analysis_settings import AnalysisSettings
from reports.analysis.claims import Claim
from reports.analysis.decisions import Decision, decide
from reports.analysis.evidence import cases
from reports.analysis.forecast import decision_probabilities
from reports.analysis.judged import Conclusion, Judged, claim_arms, decisive
from reports.analysis.readings import compared
from reports.results import Study
from reports.wording import counted


@dataclass(frozen=True)
class Block:
    """Trials to add together: (arm, seed) pairs that the study does not have yet.

    `claims` are those that wait for it, `seeds` is the number of seeds that their arms then have, `probability` that
    this look decides, `hours` of training, `priority` the probability per hour (infinite for the first block).
    """

    trials: tuple[tuple[str, int], ...]
    claims: tuple[str, ...]
    seeds: int
    probability: float | None
    hours: float | None
    priority: float


@dataclass(frozen=True)
class Next:
    """The blocks to train, the most decisive per hour first, and why each other claim gets no more seeds."""

    blocks: tuple[Block, ...]
    stopped: Mapping[str, str]


@dataclass(frozen=True)
class Saved:
    """What the looks spared against training every arm with the seeds of the last look."""

    trials: int
    hours: float | None


def next_block(
    study: Study,
    claims: Sequence[Claim],
    settings: AnalysisSettings | None = None,
    *,
    seeds: Sequence[int] | None = None,
) -> Next:
    """Return what to train next, given the study so far; nothing while a block is still running for a claim.

    `seeds` are the seeds in the order of their use, by default 0, 1, 2 and so on. The first block is the first look of
    every arm; it is handed out before anything is judged.
    """
    if settings is None:
        settings = study.analysis
    if not settings.looks:
        return Next((), {})
    order = tuple(range(settings.looks[-1])) if seeds is None else tuple(seeds)
    known = {(trial.arm, trial.seed) for trial in study.trials}
    arms = [arm.name for arm in study.arms if not arm.orphaned]
    first = tuple((arm, seed) for seed in order[: settings.looks[0]] for arm in arms if (arm, seed) not in known)
    if first:
        hours = _hours(study, first)
        return Next((Block(first, tuple(claim.id for claim in claims), settings.looks[0], None, hours, math.inf),), {})
    decisions = decide(study, claims, settings)
    open_claims = sum(each.outcome is Conclusion.INCONCLUSIVE for each in decisions)
    stopped: dict[str, str] = {}
    blocks: list[Block] = []
    for decision in decisions:
        judged = decision.told(settings.alpha)
        own = replace(settings, alpha=settings.alpha / decision.registration.alternatives)
        reason = _stop(decision, judged, own)
        if reason is not None:
            stopped[judged.claim.id] = reason
        elif (block := _block(study, judged, own, order, known, open_claims)) is not None:
            blocks.append(block)
    return Next(_distinct(sorted(blocks, key=lambda each: -each.priority)), stopped)


def _stop(decision: Decision, judged: Judged, settings: AnalysisSettings) -> str | None:
    """Return why a claim gets no more seeds. Hopeless is one that would be so as the last undecided claim, too."""
    if decision.outcome is not Conclusion.INCONCLUSIVE:
        return f"{decision.outcome} with {counted(_seeds(decision, judged), 'seed')}"
    if not judged.now.contexts:
        return "the study has no arms that the claim speaks of"
    done = _done(judged, settings)
    if done == len(settings.looks):
        return f"undecided after {counted(settings.looks[-1], 'seed')}"
    if not done:
        return None
    probability = max(
        _probability(judged, n, alpha, settings, open_claims=1)
        for n, alpha in list(zip(settings.looks, settings.levels, strict=True))[done:]
    )
    if probability < settings.futility:
        return f"futile: the probability of a decision by {counted(settings.looks[-1], 'seed')} is {probability:.2f}"
    return None


def _done(judged: Judged, settings: AnalysisSettings) -> int:
    """Count the looks of today that need no more seeds; a claim may be judged by those of an earlier plan."""
    seen = judged.looks[-1].n if judged.looks else 0
    return sum(size <= seen for size in settings.looks)


def _seeds(decision: Decision, judged: Judged) -> int:
    """Return the seeds with which a claim is decided: those of its look, or where none decides, all that it has."""
    if decision.decided_at_look:
        return judged.looks[decision.decided_at_look - 1].n
    context = decisive(judged.claim, judged.now, judged.direction)
    return context.n if context else 0


def _probability(judged: Judged, n: int, alpha: float, settings: AnalysisSettings, open_claims: int) -> float:
    """Return the probability that a look decides; 1 where the seeds so far say nothing about it."""
    level = alpha / open_claims if settings.family == "holm" else alpha
    supports_or_refutes = decision_probabilities(judged.claim, judged.now.contexts, n, level)
    return 1.0 if supports_or_refutes is None else min(1.0, sum(supports_or_refutes))


def _block(
    study: Study,
    judged: Judged,
    settings: AnalysisSettings,
    order: Sequence[int],
    known: set[tuple[str, int]],
    open_claims: int,
) -> Block | None:
    done = _done(judged, settings)
    size, alpha = settings.looks[done], settings.levels[done]
    arms = claim_arms(cases(study, judged.claim))
    trials = tuple((arm, seed) for seed in order[:size] for arm in arms if (arm, seed) not in known)
    if not trials:
        return None
    probability, hours = _probability(judged, size, alpha, settings, open_claims), _hours(study, trials)
    return Block(trials, (judged.claim.id,), size, probability, hours, probability / hours if hours else probability)


def _distinct(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Let an arm that several claims share be trained once, in the first block that asks for it."""
    taken: dict[tuple[str, int], int] = {}
    made: list[Block] = []
    for block in blocks:
        rest = tuple(each for each in block.trials if each not in taken)
        if not rest and made:
            place = max(taken[each] for each in block.trials)
            made[place] = _joined(made[place], block)
            continue
        taken.update(dict.fromkeys(rest, len(made)))
        made.append(Block(rest, block.claims, block.seeds, block.probability, block.hours, block.priority))
    return tuple(made)


def _joined(block: Block, other: Block) -> Block:
    claims = (*block.claims, *other.claims)
    return Block(block.trials, claims, block.seeds, block.probability, block.hours, block.priority)


def _hours(study: Study, trials: Sequence[tuple[str, int]]) -> float | None:
    """Return the training time of trials by the mean of their arms so far; None where an arm has not been timed."""
    means = _mean_seconds(study)
    if any(arm not in means for arm, _ in trials):
        return None
    return math.fsum(means[arm] for arm, _ in trials) / 3600


def _mean_seconds(study: Study) -> dict[str, float]:
    known: dict[str, list[float]] = {}
    for trial in study.trials:
        if trial.seconds is not None:
            known.setdefault(trial.arm, []).append(trial.seconds)
    return {arm: math.fsum(seconds) / len(seconds) for arm, seconds in known.items()}


def saved(study: Study, settings: AnalysisSettings | None = None) -> Saved | None:
    """Return what adaptive seeds spared so far; None for a study without looks."""
    if settings is None:
        settings = study.analysis
    if not settings.looks:
        return None
    used = {arm.name: 0 for arm in study.arms if not arm.orphaned}
    for trial in compared(study):
        if trial.arm in used:
            used[trial.arm] += 1
    rest = {arm: max(0, settings.looks[-1] - count) for arm, count in used.items()}
    means = _mean_seconds(study)
    known = all(arm in means for arm, count in rest.items() if count)
    hours = math.fsum(count * means[arm] for arm, count in rest.items() if count) / 3600 if known else None
    return Saved(sum(rest.values()), hours)
