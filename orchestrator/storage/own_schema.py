"""A schema of its own, on the server that holds the results, for a program whose tables have the names of ours."""

from sqlalchemy import text

from orchestrator.storage.address import is_file
from orchestrator.storage.database import Database
from orchestrator.storage.errors import StorageError


def make_own_schema(database: Database, name: str) -> str | None:
    """Create the schema where there is none yet and return a URL that sees nothing else; None for a file.

    StorageError when the user may not create it.
    """
    if is_file(database.url):
        return None
    with database.writing() as connection:
        if not connection.scalar(text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), {"name": name}):
            if not connection.scalar(text("SELECT has_database_privilege(current_database(), 'CREATE')")):
                user = connection.scalar(text("SELECT current_user"))
                raise StorageError(
                    f"{database.where} lets {user} make no schema: its owner can make it once, with "
                    f'CREATE SCHEMA {name} AUTHORIZATION "{user}"'
                )
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{name}"'))
    before = database.url.query.get("options", "")
    options = f"{before if isinstance(before, str) else ' '.join(before)} -csearch_path={name}".strip()
    return database.url.update_query_dict({"options": options}).render_as_string(hide_password=False)
