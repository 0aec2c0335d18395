"""Make `docs/example-site` and the verdicts in `docs/article.md` from results DBs: `python docs/example_site.py DB...`

The DBs hold the studies of the group `article`. Each study is published as `orchestrate publish`
does it, with what its own file asks for: trials that two studies share also carry what the other one's probes measured,
which would stand on both pages. Of each study the newest version stays, in `latest`.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from orchestrator.presets import GROUPS
from orchestrator.results.location import database
from orchestrator.scheduling.measuring import study_probes
from orchestrator.storage import Store
from reports.analysis.verdicts import Verdict, judge_study
from reports.page import report_files
from reports.publishing.destination import Destination
from reports.publishing.site import LATEST, plan_publication, write_publication
from reports.results import Study

DOCS = Path(__file__).parent
SITE = DOCS / "example-site"
STUDIES = GROUPS["article"]
MOST_BYTES = 5_000_000


def main(databases: list[str]) -> None:
    """Replace the site by one of the studies in these DBs; SystemExit where one is missing or it grew too large."""
    studies = {study.name: study for each in databases for study in read_studies(each)}
    if missing := [name for name in STUDIES if name not in studies]:
        sys.exit(f"no results of {', '.join(missing)} in {', '.join(databases) or 'no DB'}")
    verdicts = {name: judge_study(studies[name]) for name in STUDIES}
    with tempfile.TemporaryDirectory() as folder:
        site = Destination(folder)
        reports = [report_files(studies[name], verdicts[name], None) for name in STUDIES]
        write_publication(site, plan_publication(site, reports))
        for version in Path(folder).glob("studies/*/*"):
            if version.name != LATEST:
                shutil.rmtree(version)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        print(f"{size:,} bytes")
        if size > MOST_BYTES:
            sys.exit(f"more than {MOST_BYTES:,} bytes: nothing is changed")
        shutil.rmtree(SITE, ignore_errors=True)
        shutil.copytree(folder, SITE)
    page = DOCS / "article.md"
    judged = [verdict for name in STUDIES for verdict in verdicts[name]]
    page.write_text(with_verdicts(page.read_text(encoding="utf-8"), judged), encoding="utf-8")


def read_studies(db: str) -> list[Study]:
    """Return those studies of a results DB that belong on the site, each with what its own file asks for."""
    with Store.open(database(db), read_only=True) as store:
        found = [store.load_study(each.name) for each in store.studies() if each.name in STUDIES]
    return [each if study_probes(each.settings) else replace(each, measurements=()) for each in found]


def with_verdicts(text: str, verdicts: Sequence[Verdict]) -> str:
    """Return the page with the verdict of each claim behind its name."""
    for each in verdicts:
        text = re.sub(rf"(?<=`{re.escape(each.claim.id)}` )[A-Z]\w+", str(each.verdict), text)
    return text


if __name__ == "__main__":
    main(sys.argv[1:])
