"""Hold a published report against the results that it claims to show, and say what differs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reports.analysis.verdicts import Verdict
from reports.page import report_files
from reports.results import Study

MOST_LINES = 40
MOST_LETTERS = 70  # a hash and its quotation marks fit


def read_published(path: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return the folder of a published report and what its `study.json` holds; `path` is the folder or a file in it.

    ValueError with the reason when there is no report.
    """
    if not path.exists():
        raise ValueError(f"there is no {path}: name the folder of a report, for instance out/degradation")
    folder = path if path.is_dir() else path.parent
    if not (folder / "study.json").exists():
        what = f"{folder} holds no report" if path.is_dir() else f"{path} belongs to no report"
        raise ValueError(f"{what}, which has a study.json: name the folder of one")
    try:
        summary = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(
            f"{folder / 'study.json'} cannot be read ({error.strerror}): name the folder of a report"
        ) from error
    except ValueError as error:
        raise ValueError(f"{folder / 'study.json'} is no JSON: {error}") from error
    if not isinstance(summary, dict) or not isinstance(summary.get("study"), str):
        raise ValueError(f'{folder / "study.json"} names no study: it needs the key "study"')
    return folder, summary


def verify(folder: Path, published: Mapping[str, Any], study: Study, verdicts: tuple[Verdict, ...]) -> tuple[str, ...]:
    """Return a line for each thing in which the report in `folder` differs from what the results give; none for none.

    Numbers are compared key by key, then every file byte by byte: one that was changed by hand is named.
    """
    files = report_files(study, verdicts, published)
    expected = json.loads(files["study.json"])
    lines = list(_unequal(published, expected, ""))
    for name, content in files.items():
        if name == "study.json":
            continue
        wanted = content if isinstance(content, bytes) else content.encode("utf-8", errors="replace")
        path = folder / name
        if not path.is_file():
            lines.append(f"{name}: missing")
        elif path.read_bytes() != wanted:
            lines.append(f"{name}: differs from what the results give")
    if len(lines) > MOST_LINES:
        lines = [*lines[:MOST_LINES], f"and {len(lines) - MOST_LINES} more"]
    return tuple(lines)


def _unequal(published: Any, expected: Any, where: str) -> Iterator[str]:
    if isinstance(published, dict) and isinstance(expected, dict):
        for key in {**expected, **published}:
            path = f"{where}.{key}" if where else str(key)
            if key not in published:
                yield f"{path}: missing in the report"
            elif key not in expected:
                yield f"{path}: in the report alone"
            else:
                yield from _unequal(published[key], expected[key], path)
    elif isinstance(published, list) and isinstance(expected, list) and len(published) == len(expected):
        for at, (one, other) in enumerate(zip(published, expected, strict=True)):
            yield from _unequal(one, other, f"{where}[{_name(other, at)}]")
    elif isinstance(published, list) and isinstance(expected, list) and _is_long(published, expected):
        yield f"{where}: {len(published)} in the report, {len(expected)} from the results"
    elif published != expected:
        yield f"{where}: {_short(published)} in the report, {_short(expected)} from the results"


def _name(value: Any, at: int) -> str:
    if not isinstance(value, dict):
        return str(at)
    return str(next((value[key] for key in ("name", "claim", "arm", "number") if value.get(key)), at))


def _is_long(*values: Any) -> bool:
    return any(len(json.dumps(value, ensure_ascii=False)) > MOST_LETTERS for value in values)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 3]}…"
