"""What is trained next, and how far a study has come."""
