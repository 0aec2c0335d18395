"""Hand the curves of a study to the programs that people track trainings with."""
