"""Run in an environment that holds the wheel without extras: the agent needs nothing more.

Ends with an error when a package of the collector can be imported, so that the check cannot pass
by accident; then replays a recorded machine with `attt facts` and `attt check`.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ATTT = Path(sys.executable).parent / "attt"
HOST = ROOT / "tests/agent/hosts/debian-12-may-ban"
NOT_ON_A_PC = ("pydantic", "sqlalchemy", "fastapi", "cryptography", "pysnmp", "jinja2", "docx")


def main() -> int:
    present = [name for name in NOT_ON_A_PC if importlib.util.find_spec(name) is not None]
    if present:
        print(f"not alone: {', '.join(present)} can be imported here")
        return 1
    facts = subprocess.run(
        [ATTT, "facts", "--recorded", HOST, "--json"], capture_output=True, text=True, check=True
    )
    if not any(fact["key"] == "os.name" for fact in json.loads(facts.stdout)):
        print("attt facts printed no os.name")
        return 1
    check = subprocess.run(
        [ATTT, "check", "--recorded", HOST], capture_output=True, text=True, check=False
    )
    if check.returncode not in (0, 1, 2) or "L2-ACC-07" not in check.stdout:
        print(check.stdout, check.stderr)
        return 1
    print("attt runs alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
