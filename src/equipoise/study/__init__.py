"""Studies: the grid of methods and seeds, its cells, and where results are kept."""
