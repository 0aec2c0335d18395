"""What the server of reports answers with, and to whom."""

import http.client
import threading

import pytest

from orchestrator.errors import UserError
from orchestrator.results.serving import make_server
from reports.page import write_report
from tests.reports.small import near, study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("out")
    whole = study(("variant",), {("a",): near(3), ("b",): near(4)}, baseline={"variant": "a"})
    write_report(whole, root / "small")
    write_report(whole, root / "running", is_last=False)
    (root / "small/secret.txt").write_text("x")
    (root / "small/.hidden.html").write_text("x")
    (root / "notes").mkdir()
    (root / "notes/index.html").write_text("no report")
    (root.parent / "outside.html").write_text("x")
    (root / "small/link.html").symlink_to(root.parent / "outside.html")
    return root


@pytest.fixture(scope="module")
def ask(folder):
    with make_server(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()

        def status(path, host="127.0.0.1", method="GET"):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            connection.request(method, path, headers={"Host": host})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
            connection.close()
            return answer.status, text

        yield status
        server.shutdown()
        thread.join()


def test_the_index_lists_the_reports(ask):
    status, text = ask("/")
    assert status == 200
    assert 'href="small/index.html"' in text


def test_a_study_in_training_is_listed_and_shown_before_its_first_run_has_ended(ask):
    assert 'href="running/index.html"' in ask("/")[1]
    assert ask("/running/index.html")[0] == 200
    assert ask("/running/tables/main.csv")[0] == 200


@pytest.mark.parametrize("path", ["/small/index.html", "/small/tables/main.csv", "/small/study.json"])
def test_the_files_of_a_report_are_shown(ask, path):
    assert ask(path)[0] == 200


REFUSED = ["/small/", "/small/secret.txt", "/small/.hidden.html", "/notes/index.html", "/small/link.html"]


@pytest.mark.parametrize("path", [*REFUSED, "/../outside.html", "/%2e%2e/outside.html"])
def test_nothing_else_is(ask, path):
    assert ask(path)[0] == 404


def test_another_host_and_another_method_are_refused(ask):
    assert ask("/", host="evil.example")[0] == 403
    assert ask("/", method="HEAD")[0] == 405


def test_a_folder_that_is_none_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="name the one that holds reports"):
        make_server(tmp_path / "nowhere", 0)
