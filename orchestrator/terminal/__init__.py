"""What the user sees in the terminal: tables, the live display, the results."""
