"""A static site of reports: each version under its id, the latest beside it, and an index rebuilt from what is there.

Nothing but files: it can be copied to any web server. Several publishers may write to one site, also at once:

- a version is written once and never changed; its `study.json` comes last and makes it one;
- `latest/` is the version with the newest result, whoever wrote it;
- the index, and `latest/`, are made again until they agree with what lies there after they were written.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.publishing.destination import Destination
from reports.publishing.index import Listed, index_page, listed_of

INDEX = "index.html"
LATEST = "latest"
SUMMARY = "study.json"
MOST_ROUNDS = 10
_OURS = re.compile(r"(figures|tables|data)/[\w-]+\.(svg|pdf|csv|md|tex|parquet)")

Summary = Mapping[str, Any]


@dataclass(frozen=True)
class Publication:
    """What publishing changes: contents by path in the order in which they are written, and paths that are removed.

    `newer` maps a study to the version that its `latest/` keeps, because it has a newer result than what is published.
    """

    files: Mapping[str, bytes]
    removed: tuple[str, ...]
    newer: Mapping[str, str]


def plan_publication(site: Destination, reports: Sequence[Mapping[str, str | bytes]]) -> Publication:
    """Return what publishing `reports` would change of `site`.

    A version that is there is never written again. The index lists every study of the site, also those that another
    publisher wrote.
    """
    there = _Site(site)
    files: dict[str, bytes] = {".nojekyll": b""}
    removed: list[str] = []
    newer: dict[str, str] = {}
    for report in reports:
        contents = _committed_last(report)
        summary = json.loads(contents[SUMMARY])
        study, version = str(summary["study"]), str(summary["report"])
        if version not in there.versions(study):
            files |= {f"studies/{study}/{version}/{name}": data for name, data in contents.items()}
        winner = there.newest(study)
        if winner is not None and _moment(there.summaries[study][winner]) > _moment(summary):
            newer[study] = winner
            continue
        files |= {f"studies/{study}/{LATEST}/{name}": data for name, data in contents.items()}
        removed += there.stale(study, contents)
    texts = {path: data for path, data in files.items() if path.endswith(f"/{SUMMARY}")}
    files[INDEX] = _index(_by_study({**there.texts, **texts}))
    same = site.read(path for path, data in files.items() if there.sizes.get(path) == len(data))
    return Publication({path: data for path, data in files.items() if same.get(path) != data}, tuple(removed), newer)


def write_publication(site: Destination, publication: Publication) -> None:
    """Write and remove the files; the index last, so that it names nothing that is not there.

    Then what another publisher wrote meanwhile is looked for, and `latest/` and the index are made from all of it.
    """
    site.write(publication.files)
    site.remove(publication.removed)
    studies = {path.split("/")[1] for path in publication.files if path.startswith("studies/")}
    for _ in range(MOST_ROUNDS if publication.files else 0):
        there = _Site(site)
        late = _latest_again(site, there, studies)
        texts = {path: data for path, data in late.items() if path.endswith(f"/{SUMMARY}")}
        late[INDEX] = _index(_by_study({**there.texts, **texts}))
        if late == {INDEX: site.read([INDEX]).get(INDEX)}:
            return
        site.write(late)


def _latest_again(site: Destination, there: "_Site", studies: set[str]) -> dict[str, bytes]:
    """The files of the newest version of each study whose `latest/` is an older one."""
    late: dict[str, bytes] = {}
    for study in sorted(studies):
        winner, latest = there.newest(study), there.summaries[study].get(LATEST, {})
        if winner is None or _moment(there.summaries[study][winner]) <= _moment(latest):
            continue
        folder = f"studies/{study}/{winner}/"
        files = site.read(path for path in there.sizes if path.startswith(folder))
        contents = _committed_last({path.removeprefix(folder): data for path, data in files.items()})
        late |= {f"studies/{study}/{LATEST}/{name}": data for name, data in contents.items()}
    return late


class _Site:
    """What lies at a site now: the sizes of its files, and the summaries of its versions by study."""

    def __init__(self, site: Destination) -> None:
        self.sizes = site.sizes()
        self.texts = site.read(path for path in self.sizes if re.fullmatch(rf"studies/[^/]+/[^/]+/{SUMMARY}", path))
        self.summaries = _by_study(self.texts)

    def versions(self, study: str) -> Mapping[str, Summary]:
        return {name: each for name, each in self.summaries.get(study, {}).items() if name != LATEST}

    def newest(self, study: str) -> str | None:
        """The version with the newest result; the one that `latest/` shows where several have it."""
        versions = self.versions(study)
        shown = self.summaries.get(study, {}).get(LATEST, {}).get("report")
        return max(versions, key=lambda name: (_moment(versions[name]), name == shown, name), default=None)

    def stale(self, study: str, contents: Mapping[str, bytes]) -> list[str]:
        """The files that the report in `latest/` wrote and this one does not have."""
        before = self.summaries.get(study, {}).get(LATEST, {}).get("files")
        names = [name for name in before if isinstance(name, str)] if isinstance(before, list) else []
        paths = [f"studies/{study}/{LATEST}/{name}" for name in names if _OURS.fullmatch(name) and name not in contents]
        return [path for path in paths if path in self.sizes]


def _committed_last(report: Mapping[str, str | bytes]) -> dict[str, bytes]:
    """The files as bytes, the one last that makes them a report."""
    names = sorted(report, key=lambda name: name == SUMMARY)
    contents = {name: report[name] for name in names}
    return {
        name: data if isinstance(data, bytes) else data.encode("utf-8", errors="replace")
        for name, data in contents.items()
    }


def _by_study(texts: Mapping[str, bytes]) -> dict[str, dict[str, Summary]]:
    """The summaries by study and version; what is no summary is left out."""
    summaries: dict[str, dict[str, Summary]] = {}
    for path, data in texts.items():
        try:
            summary = json.loads(data)
        except ValueError:
            continue
        if isinstance(summary, dict):
            summaries.setdefault(path.split("/")[1], {})[path.split("/")[2]] = summary
    return summaries


def _moment(summary: Summary) -> str:
    """The moment of the last result: ISO 8601 in UTC, which sorts as text; empty before the first one."""
    return str(summary.get("last_result") or "")


def _index(studies: Mapping[str, Mapping[str, Summary]]) -> bytes:
    shown = [_listed(name, versions) for name, versions in sorted(studies.items()) if LATEST in versions]
    return index_page(shown).encode("utf-8", errors="replace")


def _listed(name: str, versions: Mapping[str, Summary]) -> Listed:
    latest = versions[LATEST]
    older = [each for each in versions if each not in (LATEST, latest.get("report"))]
    older.sort(key=lambda each: (_moment(versions[each]), each), reverse=True)
    kept = tuple((each, listed_of(versions[each], f"studies/{name}/{each}").path) for each in older)
    return listed_of(latest, f"studies/{name}/{LATEST}", kept)
