"""What a study will do, before it does it: its plan, its cost, its networks in words."""
