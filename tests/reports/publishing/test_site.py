"""The site that is published: its files, what stays, what two publishers at once leave, and what a dry run tells."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from reports.page import report_files
from reports.publishing.destination import Destination, DestinationError
from reports.publishing.index import listed_of
from reports.publishing.site import plan_publication, write_publication
from tests.reports.small import near, study


def later(whole, days):
    """The same study with each result some days later, and so with another id."""
    trials = [replace(each, finished_at=each.finished_at + timedelta(days=days)) for each in whole.trials]
    return replace(whole, trials=tuple(trials))


SMALL = study(("variant",), {("a",): near(3), ("b",): near(4)}, baseline={"variant": "a"})


@pytest.fixture(scope="module")
def files():
    return report_files(SMALL)


@pytest.fixture(scope="module")
def newer():
    return report_files(later(SMALL, 1))


@pytest.fixture(params=["folder", "file", "memory"])
def site(request, tmp_path):
    folder = tmp_path / "a site [1] %20"
    addresses = {"folder": f"{folder}", "file": f"file://{folder}", "memory": f"memory://{uuid4().hex}/site"}
    return Destination(addresses[request.param])


def report_id(files):
    return json.loads(files["study.json"])["report"]


def publish(site, *reports):
    found = plan_publication(site, reports)
    write_publication(site, found)
    return found


def read(site, path):
    return site.read([path])[path].decode()


def test_a_site_has_an_index_the_latest_report_and_its_version(site, files):
    publish(site, files)
    for version in (report_id(files), "latest"):
        for name, content in files.items():
            found = site.read([f"studies/degradation/{version}/{name}"])
            assert list(found.values()) == [content if isinstance(content, bytes) else content.encode()]
    assert 'href="studies/degradation/latest/index.html"' in read(site, "index.html")


def test_publishing_twice_writes_nothing(site, files):
    publish(site, files)
    found = plan_publication(site, [files])
    assert (found.files, found.removed) == ({}, ())


def test_a_plan_writes_nothing(site, files):
    assert plan_publication(site, [files]).files
    assert site.sizes() == {}


def test_an_older_version_stays_as_it_was_and_is_listed(site, files, newer):
    publish(site, files)
    publish(site, newer)
    first = f"studies/degradation/{report_id(files)}/index.html"
    assert f'href="{first}"' in read(site, "index.html")
    assert read(site, first) == files["index.html"]
    assert read(site, "studies/degradation/latest/index.html") == newer["index.html"]


def test_a_version_is_never_written_again(site, files):
    publish(site, files)
    path = f"studies/degradation/{report_id(files)}/badge.svg"
    site.write({path: b"as it was"})
    found = publish(site, files)
    assert read(site, path) == "as it was"
    assert not found.files


def test_a_version_that_was_cut_off_is_written_whole(site, files):
    whole = plan_publication(site, [files])
    half = dict(list(whole.files.items())[: len(files) // 2])
    assert not any(path.endswith("study.json") for path in half)
    site.write(half)
    publish(site, files)
    assert set(whole.files) == set(site.sizes())


def test_the_latest_report_is_the_one_with_the_newest_result_whoever_publishes_last(site, files, newer):
    publish(site, newer)
    found = publish(site, files)
    assert found.newer == {"degradation": report_id(newer)}
    assert report_id({"study.json": read(site, "studies/degradation/latest/study.json")}) == report_id(newer)
    assert f"studies/degradation/{report_id(files)}/index.html" in read(site, "index.html")
    assert not publish(site, files).files


def test_another_publishers_study_is_listed(site, files):
    other = report_files(replace(SMALL, name="other"))
    publish(site, files)
    publish(site, other)
    index = read(site, "index.html")
    assert "studies/other/latest/index.html" in index
    assert "studies/degradation/latest/index.html" in index


def test_two_that_publish_at_once_keep_each_others_studies_and_the_newest_result(site, files, newer):
    other = report_files(replace(SMALL, name="other"))
    plans = [plan_publication(site, each) for each in ([newer], [files, other], [files])]
    for plan in plans:  # each was made when nothing was there
        write_publication(site, plan)
    index = read(site, "index.html")
    assert all(f"studies/{name}/latest/index.html" in index for name in ("degradation", "other"))
    assert f"studies/degradation/{report_id(files)}/index.html" in index
    assert read(site, "studies/degradation/latest/index.html") == newer["index.html"]


def test_an_index_that_is_overwritten_meanwhile_is_made_again(tmp_path, files):
    class Slow(Destination):
        """A site whose index another publisher writes right after us, from what it saw before."""

        def write(self, contents):
            super().write(contents)
            if "index.html" in contents and not getattr(self, "met", False):
                self.met = True
                super().write({"index.html": b"an index of another study alone"})

    site = Slow(str(tmp_path))
    publish(site, files)
    assert "studies/degradation/latest/index.html" in read(site, "index.html")


def test_files_that_the_latest_report_has_no_more_are_removed_from_it_alone(site, files):
    longer = {**files, "figures/old.svg": "<svg/>"}
    found = json.loads(files["study.json"])
    names = [*found["files"], "figures/old.svg", "../../../index.html", "figures/../../x.svg", 3]
    longer["study.json"] = json.dumps({**found, "report": "longer", "files": names})
    publish(site, longer)
    removed = publish(site, files).removed
    assert removed == ("studies/degradation/latest/figures/old.svg",)
    assert removed[0] not in site.sizes()
    assert "studies/degradation/longer/figures/old.svg" in site.sizes()


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"verdicts": 3, "trials": [], "report": ["x"], "files": "x"}'])
def test_what_others_left_broken_does_not_stop_publishing(site, files, text):
    site.write({"studies/other/latest/study.json": text.encode(), "studies/other/x/study.json": text.encode()})
    site.write({"studies/degradation/latest/study.json": text.encode()})
    publish(site, files)
    assert "studies/degradation/latest/index.html" in read(site, "index.html")


def test_names_that_others_wrote_are_inert_in_the_index(site, files):
    hostile = {"study": "<script>x</script>", "question": '"><img src=x>', "report": '"><b>', "verdicts": [{}, 3]}
    for version in ("latest", 'a"><b>'):
        site.write({f"studies/o'\"<i>/{version}/study.json": json.dumps(hostile).encode()})
    publish(site, files)
    index = read(site, "index.html")
    assert "<script>x" not in index
    assert "<img" not in index
    assert "<b>" not in index
    assert "<i>" not in index
    assert "studies/o%27%22%3Ci%3E/latest/index.html" in index


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nosuch://bucket/x", "nosuch"),
        ("http://127.0.0.1:9/site", "http://127.0.0.1:9/site: "),
    ],
)
def test_a_place_that_cannot_be_is_named_with_the_reason(address, said, files):
    with pytest.raises(DestinationError, match=said):
        publish(Destination(address), files)


def test_a_file_in_the_way_is_named(tmp_path, files):
    (tmp_path / "site").write_text("x")
    with pytest.raises(DestinationError, match=r"--to .*site: name a folder"):
        publish(Destination(str(tmp_path / "site")), files)


def test_a_claim_that_waits_for_trials_is_listed_as_running_and_not_as_inconclusive():
    rows = [{"verdict": "Inconclusive", "badges": ["still running"]}, {"verdict": "Inconclusive", "badges": []}]
    assert listed_of({"study": "s", "verdicts": rows}, "s").verdicts == (("still running", 1), ("Inconclusive", 1))
