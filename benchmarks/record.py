"""Write a benchmark's figures with the hardware, versions and command they belong to."""

import json
import shlex
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def write_result(name: str, figures: Mapping[str, Any], environment: Mapping[str, Any]) -> Path:
    """Write ``results/<name>.json`` and return its path; the newest run of a benchmark replaces the one before."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    record = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(["python", *sys.argv]),
        "environment": {key: value for key, value in environment.items() if key != "host"},
        "figures": figures,
    }
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path
