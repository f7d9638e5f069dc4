"""Device families: one module each, found by scanning, with one `FAMILY`."""
