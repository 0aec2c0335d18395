"""The `search:` part of a study file: its settings, the samplers and schedulers, and the space of its factors."""
