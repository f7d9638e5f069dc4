"""The agent: reads one machine, signs what it read, and hands it to the collector."""
