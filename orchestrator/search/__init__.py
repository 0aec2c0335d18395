"""Architecture search: Optuna chooses the next arm, the study's own engine trains it."""
