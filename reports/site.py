"""A static site of reports: each version under its id, the latest beside it, and an index rebuilt from what is there.

Nothing but files: it can be copied to any web server, and two publishers merge by copying into the same folder.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports.page import asset, environment
from reports.wording import counted, shortened

INDEX = "index.html"


@dataclass(frozen=True)
class Listed:
    """One study as the index shows it; `versions` are the ids of its reports, the latest one first."""

    name: str
    question: str
    verdicts: tuple[tuple[str, int], ...]
    trials: int
    last_result: str
    path: str
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Change:
    """A file that publishing would write, and its size in bytes."""

    path: str
    size: int


def plan_publication(site: Path, reports: Sequence[Mapping[str, str | bytes]]) -> dict[str, bytes]:
    """Return the contents of the files that differ from what `site` holds, by their path in it.

    A version that is there is never written again. The index lists every study of the site, also those that another
    publisher wrote.
    """
    files: dict[str, bytes] = {".nojekyll": b""}
    for report in reports:
        found = json.loads(report["study.json"])
        for name, content in report.items():
            data = content if isinstance(content, bytes) else content.encode("utf-8", errors="replace")
            for version in (found["report"], "latest"):
                files[f"studies/{found['study']}/{version}/{name}"] = data
    files[INDEX] = _index(site, files)
    return {path: data for path, data in files.items() if _is_new(site, path, data)}


def write_publication(site: Path, files: Mapping[str, bytes]) -> None:
    """Write the files; the index last, so that it names nothing that is not there."""
    for path in sorted(files, key=lambda each: each == INDEX):
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.part")
        beside.write_bytes(files[path])
        beside.replace(target)


def _is_new(site: Path, path: str, data: bytes) -> bool:
    target = site / path
    is_version = path.startswith("studies/") and path.split("/")[2] != "latest"
    if is_version and target.is_file():
        return False
    return not target.is_file() or target.read_bytes() != data


def _index(site: Path, files: Mapping[str, bytes]) -> bytes:
    texts = {path: data for path, data in files.items() if path.endswith("/study.json")}
    for file in sorted(site.glob("studies/*/*/study.json")):
        texts.setdefault(file.relative_to(site).as_posix(), file.read_bytes())
    by_study: dict[str, dict[str, Mapping[str, Any]]] = {}
    for path, data in texts.items():
        try:
            found = json.loads(data)
        except ValueError:
            continue
        if isinstance(found, dict):
            by_study.setdefault(path.split("/")[1], {})[path.split("/")[2]] = found
    studies = [_listed(name, versions) for name, versions in by_study.items() if "latest" in versions]
    return index_page(sorted(studies, key=lambda each: (each.last_result, each.name), reverse=True)).encode()


def _listed(name: str, versions: Mapping[str, Mapping[str, Any]]) -> Listed:
    older = [each for version, each in versions.items() if version != "latest"]
    older.sort(key=lambda each: (str(each.get("last_result") or ""), str(each.get("report"))), reverse=True)
    kept = tuple(
        (str(each.get("report")), f"studies/{name}/{each.get('report')}/index.html")
        for each in older
        if each.get("report") != versions["latest"].get("report")
    )
    return listed_of(versions["latest"], f"studies/{name}/latest/index.html", kept)


def listed_of(summary: Mapping[str, Any], path: str, versions: tuple[tuple[str, str], ...] = ()) -> Listed:
    """Return a study's line of the index from its `study.json`, with the path of its page."""
    verdicts = [str(each.get("verdict")) for each in summary.get("verdicts", ())]
    counts = tuple((word, verdicts.count(word)) for word in dict.fromkeys(verdicts))
    trials = summary.get("trials", {})
    done = sum(int(trials.get(state, 0)) for state in ("COMPLETE", "DIVERGED"))
    last = str(summary.get("last_result") or "")[:16].replace("T", " ")
    name, question = str(summary.get("study")), shortened(str(summary.get("question") or ""), 300)
    return Listed(name, question, counts, done, last, path, versions)


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
        studies=studies,
        count=counted(len(studies), "study", "studies"),
        policy=policy,
        style=Markup(style),
        script=Markup(script),
    )  # fmt: skip
