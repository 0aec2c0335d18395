"""Notes that people add to a study; they are events, so that planning the study again does not lose them."""

from sqlalchemy import Connection, select

from orchestrator.storage.tables import events

NOTE = "Note"


def notes_of(connection: Connection, study: int) -> tuple[str, ...]:
    """Return the notes that people added to a study, each with its date, the earliest first."""
    chosen = select(events.c.at, events.c.details).where(events.c.study == study, events.c.kind == NOTE)
    rows = connection.execute(chosen.order_by(events.c.id))
    return tuple(f"Note of {row.at:%Y-%m-%d}: {row.details['text']}" for row in rows)
