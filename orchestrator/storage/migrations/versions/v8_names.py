"""Version 8: columns of a search and of a diverged trial under the names that the field has for them."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"

_VALUES = {"status": {"busy": "pending"}, "origin": {"chance": "random"}}


def upgrade() -> None:
    """Rename three columns, two values in them, and the same in the stored records of searches."""
    _rename("proposals", "campaign", "optimization", "Hash of the space, the sampler and its role")
    _rename("proposals", "fate", "status", "trained, answered from an earlier arm, pending, or rejected")
    _comment("proposals", "origin", "Who proposed it: baseline, warm, sampler, grid or random")
    _rename("trials", "last_sound_loss", "loss_before_divergence", "The last training loss before it diverged")
    for column, values in _VALUES.items():
        table = sa.table("proposals", sa.column(column))
        for old, new in values.items():
            op.execute(sa.update(table).where(table.c[column] == old).values({column: new}))
    studies = sa.table("studies", sa.column("id", sa.Integer), sa.column("search", sa.JSON(none_as_null=True)))
    searches = op.get_bind().execute(sa.select(studies.c.id, studies.c.search).where(studies.c.search.is_not(None)))
    for number, record in searches.all():
        op.execute(sa.update(studies).where(studies.c.id == number).values(search=_renamed(record)))


def _rename(table: str, old: str, new: str, comment: str) -> None:
    op.alter_column(table, old, new_column_name=new)
    _comment(table, new, comment)


def _comment(table: str, column: str, comment: str) -> None:
    if op.get_bind().dialect.name != "sqlite":  # which keeps no comments
        op.alter_column(table, column, comment=comment)


def _renamed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of a search with the keys and values of its proposals, and of a comparison, renamed."""
    renamed = dict(record)
    if isinstance(renamed.get("proposals"), Mapping):
        renamed["proposals"] = {role: [_proposal(each) for each in made] for role, made in renamed["proposals"].items()}
    if isinstance(renamed.get("comparison"), Mapping):
        names = {"contenders": "configurations"}
        renamed["comparison"] = {names.get(key, key): value for key, value in renamed["comparison"].items()}
    return renamed


def _proposal(stored: Mapping[str, Any]) -> dict[str, Any]:
    named = {"status" if key == "fate" else key: value for key, value in stored.items()}
    return {key: _VALUES.get(key, {}).get(value, value) if key in _VALUES else value for key, value in named.items()}
