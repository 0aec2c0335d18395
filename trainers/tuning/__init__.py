"""What is measured before a training begins: the memory of a replica, and the fastest way to compute."""
