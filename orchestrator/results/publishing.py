"""Put the reports of studies on a site: a folder, or a place that fsspec knows by its URL."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.errors import UserError
from orchestrator.home import expanded
from orchestrator.results.location import as_folder, database
from orchestrator.storage import Store
from reports.analysis.verdicts import judge_study
from reports.page import report_files
from reports.publishing.destination import Destination, DestinationError
from reports.publishing.site import LATEST, SUMMARY, Publication, plan_publication, write_publication


def publish_studies(to: str, names: Sequence[str], db: str | None, *, dry_run: bool = False) -> Publication:
    """Publish the reports of these studies, by default of all, and return what changed.

    With `dry_run` nothing is written.
    """
    with Store.open(database(db), read_only=True) as store:
        chosen = list(dict.fromkeys(names)) or [each.name for each in store.studies()]
        studies = [store.load_study(as_folder(name)) for name in chosen]
    try:
        site = Destination(to if "://" in to or not to else str(expanded(to)))
        before = site.read(_summary_path(study.name) for study in studies)
        reports = [
            report_files(study, judge_study(study), _summary(before.get(_summary_path(study.name))))
            for study in studies
        ]
        publication = plan_publication(site, reports)
        if not dry_run:
            write_publication(site, publication)
    except DestinationError as error:
        raise UserError(str(error)) from error
    return publication


def _summary_path(study: str) -> str:
    return f"studies/{study}/{LATEST}/{SUMMARY}"


def _summary(text: bytes | None) -> Mapping[str, Any] | None:
    """What a report on the site holds; None where there is none that can be read."""
    try:
        summary = json.loads(text or b"null")
    except ValueError:
        return None
    return summary if isinstance(summary, dict) else None
