"""One file a probe; each has one `PROBE` and knows none of the others."""
