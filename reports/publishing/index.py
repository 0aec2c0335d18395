"""The index of a site: one row a study, from the `study.json` of its reports."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from reports.analysis.badges import OPEN
from reports.analysis.judged import Conclusion
from reports.page import asset, environment
from reports.wording import counted, shortened

_NO_COUNTS: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Listed:
    """One study as the index shows it; `versions` are (id, path) of its earlier reports, the latest one first."""

    name: str
    question: str
    verdicts: tuple[tuple[str, int], ...]
    trials: int
    last_result: str
    path: str
    versions: tuple[tuple[str, str], ...]


def listed_of(summary: Mapping[str, Any], folder: str, versions: tuple[tuple[str, str], ...] = ()) -> Listed:
    """Return a study's line of the index from its `study.json`, with the folder of its report."""
    rows = summary.get("verdicts")
    verdicts = [_word(each) for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    counts = tuple((word, verdicts.count(word)) for word in dict.fromkeys(verdicts))
    trials = summary.get("trials")
    trials = trials if isinstance(trials, dict) else _NO_COUNTS
    done = sum(count for state in ("COMPLETE", "DIVERGED") if isinstance(count := trials.get(state), int))
    last = str(summary.get("last_result") or "")[:16].replace("T", " ")
    name, question = str(summary.get("study")), shortened(str(summary.get("question") or ""), 300)
    return Listed(name, question, counts, done, last, f"{quote(folder)}/index.html", versions)


def _word(row: Mapping[str, Any]) -> str:
    """Return the verdict of a claim; of one that is undecided while its trials run, that they do."""
    verdict, badges = str(row.get("verdict")), row.get("badges")
    return OPEN if verdict == Conclusion.INCONCLUSIVE and isinstance(badges, list) and OPEN in badges else verdict


def index_page(studies: Sequence[Listed]) -> str:
    """Return the index: one row a study, the newest result first, with a box that searches."""
    style, script = asset("report.css"), asset("index.js")
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    policy = (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = environment().get_template("index.html")
    return page.render(
        studies=sorted(sorted(studies, key=lambda each: each.name), key=lambda each: each.last_result, reverse=True),
        count=counted(len(studies), "study", "studies"),
        policy=policy,
        style=Markup(style),
        script=Markup(script),
    )  # fmt: skip
