"""The badges: short words behind a verdict or a difference that qualify it. What each means: `MEANINGS`."""

from collections.abc import Mapping

POST_HOC = "post hoc"
LEFT_OUT = "trained seeds left out"
UNPLANNED = "unplanned look, judged by e-value"
WITHDRAWN = "withdrawn: later seeds say the opposite"
FURTHER = "held against later seeds of other studies too"
SHARED = "planned otherwise in other studies too"
ONE_SEED = "one seed decides it"
DEPENDS = "depends on the analysis"
OUTLIERS = "assumes no rare outliers"
KNOWN_ARM = "assumes that no arm was chosen by its results"
SKEWED = "skewed: the interval may be too narrow"
UNLIKE = "unlike spreads: the interval may be too narrow"
FEW = "too few seeds for a t test alone"
NOT_MONOTONE = "not monotone: a step goes the other way"
FAILS_MORE = "the better arm fails more often"
MISSING = "trials without a result"
UNMEASURED = "trained seeds not measured"
OPEN = "still running"

ASSUMPTIONS = frozenset({OUTLIERS, KNOWN_ARM})
"""Those that name what a verdict takes for granted; all others name something that was seen."""

NARROW = frozenset({SKEWED, UNLIKE})
"""Those that say that an interval by Student's t may be too narrow."""

MEANINGS: Mapping[str, str] = {
    POST_HOC: "the claim, or what decides it, was changed after its first result; the page says how",
    LEFT_OUT: "seeds of these arms, or of one of them, are on record that the study does not ask for; with all of them "
    "it must be decided, too",
    UNPLANNED: "seeds were added by hand after a result, and no look was planned: an e-value decides, more strictly",
    WITHDRAWN: "a look decided the claim, and later seeds decide the opposite: it is Inconclusive",
    FURTHER: "other studies trained these arms with further seeds since; with those, too, it must be decided",
    SHARED: "studies of this database planned to compare the same arms with other seeds, looks or tests, any of which "
    "could be shown: they share the level",
    ONE_SEED: "without one of the seeds, which are named, the verdict would be Inconclusive",
    DEPENDS: "another test of the same seeds, named on the page, gives another verdict",
    OUTLIERS: "outliers that these few seeds happen not to show could undo it",
    KNOWN_ARM: "one of the arms had results when the claim was declared; of several such arms the best wins too often "
    "on the seeds that chose it",
    SKEWED: "the seeds' noise is not symmetric, as Student's t assumes",
    UNLIKE: "the spreads of the arms differ by more than chance, so that few seeds of the wider one decide",
    FEW: "fewer than five seeds, and the exact test does not agree",
    NOT_MONOTONE: "the trend over all levels is clear, but between two neighbours the effect goes the other way",
    FAILS_MORE: "the arm with the lower errors fails in more seeds than the other",
    MISSING: "some of its trials crashed or were stopped; the verdict takes it that this had nothing to do with their "
    "error",
    UNMEASURED: "the probe that the claim is about has not seen all of the trained networks",
    OPEN: "trials of the claim's next look have not ended",
}
"""What each badge of a verdict tells, as `docs/how-to/read-verdicts.md` has it."""
