"""The names that the rest of the program may use."""

import subprocess
import sys

from orchestrator import storage


def test_every_public_name_is_there():
    assert [name for name in storage.__all__ if not hasattr(storage, name)] == []


def test_opening_a_database_needs_neither_pandas_nor_alembic():
    code = "import sys, orchestrator.storage; assert not {'pandas', 'alembic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
