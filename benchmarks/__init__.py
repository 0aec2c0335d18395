"""The program against peers and limits; each script prints its figures and writes them to results/."""
