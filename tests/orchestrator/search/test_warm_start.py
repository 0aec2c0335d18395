"""What a search begins with: its baseline, and where the file asks for it the arms that were trained before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.search.ledger import MemoryLedger
from orchestrator.search.source import SearchSource
from orchestrator.study_file.search.space import SEARCH, STAGE
from tests.orchestrator.search.conftest import plan_of


@dataclass(frozen=True)
class OfEarlierStudies(MemoryLedger):
    """Knows arms that other studies have trained."""

    arms: tuple[tuple[str, Mapping[str, Any]], ...] = ()

    def arms_with(self, factors: Sequence[str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        return self.arms


@pytest.mark.parametrize(
    ("warm", "expected"),
    [
        (True, {"search": ["baseline", "warm"], "control": ["baseline"]}),
        (False, {"search": ["baseline"], "control": ["baseline"]}),
    ],
)
def test_the_search_alone_begins_with_what_was_trained_before_where_it_is_asked_to(
    warm: bool, expected: Mapping[str, list[str]], planned_arms: dict[str, Any]
) -> None:
    plan = plan_of(search={"sampler": "random", "warm_start": warm, "control": True})
    before = plan.space.arm({**plan.start, "width": 3}, SEARCH)
    assert before.levels[STAGE] == SEARCH
    source = SearchSource(plan, OfEarlierStudies(arms=((before.id, before.levels),)), planned_arms=planned_arms)
    begun = {role: [origin for origin, _ in each.first] for role, each in source.optimizations.items()}
    assert begun == expected
