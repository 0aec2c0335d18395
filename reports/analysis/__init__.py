"""Numbers only: every estimate, interval, test and verdict that the pages and the terminal show."""
