"""What surrounds a run: packages and copies that workers import, the list of processes."""
