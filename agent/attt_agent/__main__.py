"""The command `attt`, also as `python -m attt_agent`."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """`attt run`, which a timer starts many times a day, does without the command-line library."""
    if sys.argv[1:] == ["run"]:
        from attt_agent.scheduled import main as run

        sys.exit(run())
    from attt_agent.cli import main as command

    command()


if __name__ == "__main__":
    main()
