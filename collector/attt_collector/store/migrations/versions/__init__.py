"""One revision a file, named by its id."""
