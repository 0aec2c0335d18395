"""What was found out about the surroundings, a line each: fine, or at fault and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from orchestrator.terminal.console import say


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is fine, what was seen, and what to do when it is not."""

    name: str
    fine: bool
    seen: str
    remedy: str = ""


def print_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Print what was examined, a finding a line, with what to do about each fault."""
    for finding in findings:
        say(console, f"{'ok  ' if finding.fine else 'FAIL'}  {finding.name}: {finding.seen}")
        if not finding.fine:
            say(console, f"      -> {finding.remedy}")
