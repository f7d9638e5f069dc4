"""Facts, rule packs and the engine: what agent and collector both stand on.

Pure: no clock, no network, no machine. Time is an argument (`as_of`).
"""

__version__ = "0.1.0"
