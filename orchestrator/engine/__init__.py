"""Train the packs of a plan: on a Ray cluster, or in this process. The only folder that imports Ray."""
