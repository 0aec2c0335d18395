"""What pyproject.toml cannot know: where this copy of the repository is published, for the links of a distribution.

The address is that of the environment variable PROJECT_URL, or else of the git remote `origin`. With it a distribution
has project URLs, and the README in its metadata absolute links and pictures, which package indexes show; without it
neither. A distribution made from an sdist takes over what the sdist says.
"""

import os
import re
import subprocess
from email import message_from_string
from pathlib import Path
from urllib.parse import urlsplit

from setuptools import setup

ROOT = Path(__file__).parent
PICTURES = (".png", ".svg")
# What stands between an address and a path, of a file's page and of its bytes, where a host differs from GitHub.
PAGE, BYTES = "/blob/{revision}/", "/raw/{revision}/"
FORMS = {
    "gitlab": ("/-/blob/{revision}/", "/-/raw/{revision}/"),
    "bitbucket": ("/src/{revision}/", "/raw/{revision}/"),
    "codeberg": ("/src/commit/{revision}/", "/raw/commit/{revision}/"),
    "gitea": ("/src/commit/{revision}/", "/raw/commit/{revision}/"),
}


def metadata() -> dict[str, object]:
    """Return the arguments of `setup` that depend on where this copy is published."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    sdist = ROOT / "PKG-INFO"
    if sdist.exists():
        known = message_from_string(sdist.read_text(encoding="utf-8"))
        urls = dict(line.split(", ", 1) for line in known.get_all("Project-URL", []))
        return _described(known.get_payload() or text, urls)
    address = public_address(os.environ.get("PROJECT_URL") or _git("remote", "get-url", "origin"))
    if address is None:
        return _described(text, {})
    page, raw = (address + form.format(revision=_git("rev-parse", "HEAD") or "HEAD") for form in _forms(address))
    urls = {
        "Source": address,
        "Documentation": f"{page}docs/index.md",
        "Changelog": f"{page}CHANGELOG.md",
        "Issues": f"{address}/-/issues" if "/-/" in page else f"{address}/issues",
    }
    return _described(with_absolute_links(text, page, raw), urls)


def public_address(remote: str) -> str | None:
    """Return the https address of a git remote, without user and password; None for a remote without one."""
    by_ssh = re.fullmatch(r"(?:[\w.-]+@)?([\w.-]+\.\w+):(?!//)/?(.+)", remote)  # git@example.org:owner/name.git
    parts = urlsplit(f"ssh://{by_ssh[1]}/{by_ssh[2]}" if by_ssh else remote)
    if (
        parts.scheme not in ("https", "http", "ssh", "git", "git+ssh")
        or not parts.hostname
        or not parts.path.strip("/")
    ):
        return None
    is_web = parts.scheme in ("https", "http")
    host = f"{parts.hostname}:{parts.port}" if is_web and parts.port else parts.hostname
    return f"{parts.scheme if is_web else 'https'}://{host}/{parts.path.strip('/').removesuffix('.git')}"


def with_absolute_links(text: str, page: str, raw: str) -> str:
    """Return Markdown whose links to files lead to `page` + path, and whose pictures are at `raw` + path."""

    def absolute(link: re.Match[str]) -> str:
        target = link[1]
        if target.startswith("#") or re.match(r"[\w+.-]+:", target):
            return link[0]
        return f"]({raw if target.endswith(PICTURES) else page}{target})"

    return re.sub(r"\]\(([^)\s]+)\)", absolute, text)


def _forms(address: str) -> tuple[str, str]:
    host = urlsplit(address).hostname or ""
    return next((form for name, form in FORMS.items() if name in host), (PAGE, BYTES))


def _git(*words: str) -> str:
    """Return what git says of the repository whose root this folder is; nothing where it is none."""
    if not (ROOT / ".git").exists():
        return ""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _described(text: str, urls: dict[str, str]) -> dict[str, object]:
    return {"long_description": text, "long_description_content_type": "text/markdown", "project_urls": urls}


if __name__ == "__main__":
    setup(**metadata())
