"""What surrounds a run: packages and copies that workers import, devices, disk, the list of processes."""
