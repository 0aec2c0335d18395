"""Show the reports of a folder in a browser, on this machine alone: an index first, and nothing but reports."""

import json
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from orchestrator.errors import UserError
from orchestrator.home import expanded
from reports.page import LIVE_SUMMARY, SUMMARY
from reports.publishing.index import index_page, listed_of

_SHOWN = frozenset({".html", ".svg", ".pdf", ".csv", ".md", ".tex", ".json", ".parquet"})
_FOLDERS = frozenset({"figures", "tables", "data"})


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of the reports in `folder`, bound to this machine; UserError when it cannot be."""
    folder = expanded(folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder: name the one that holds reports, for instance out")
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), partial(_Reports, directory=str(folder.resolve())))
    except OSError as error:
        raise UserError(f"--port {port}: {error.strerror}; 0 takes a free one") from None


class _Reports(SimpleHTTPRequestHandler):
    """Answers with the index and the files of the reports: no list of a folder, no link out of it, no other file."""

    def do_GET(self) -> None:
        """Answer a request of a browser on this machine."""
        if self.headers.get("Host", "").partition(":")[0] not in ("127.0.0.1", "localhost"):
            self.send_error(HTTPStatus.FORBIDDEN)  # another site that a browser was led here from
            return
        if self.path.split("?")[0] in ("/", "/index.html"):
            body = _index(Path(self.directory)).encode()
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        elif self._is_report():
            super().do_GET()
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def do_HEAD(self) -> None:
        """Answer nothing but GET."""
        self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)

    def _is_report(self) -> bool:
        root, path = Path(self.directory), Path(self.translate_path(self.path))
        if not path.resolve().is_relative_to(root) or path.is_dir() or path.suffix not in _SHOWN:
            return False
        parts = path.relative_to(root).parts
        report = path.parent.parent if parts[-2:-1] and parts[-2] in _FOLDERS else path.parent
        return not any(part.startswith(".") for part in parts) and _summary_of(report) is not None

    def end_headers(self) -> None:
        """Let a page that is written anew be read anew."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""


def _summary_of(report: Path) -> Path | None:
    """Return the file with what a report says: of a study in training that of its page, which is newer."""
    return next((file for name in (LIVE_SUMMARY, SUMMARY) if (file := report / name).is_file()), None)


def _index(folder: Path) -> str:
    listed = []
    for file in filter(None, map(_summary_of, sorted(folder.glob("*")))):
        try:
            summary = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(summary, dict):
            listed.append(listed_of(summary, file.parent.name))
    return index_page(listed)
