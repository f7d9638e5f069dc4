"""The collector: receives snapshots, judges them, counts and writes the report."""
