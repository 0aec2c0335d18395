"""Plain records that travel between the parts of the orchestrator: plans, events, facts of a machine."""
