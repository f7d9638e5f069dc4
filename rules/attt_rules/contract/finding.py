"""Finding (kết quả kiểm tra): what one rule says of one asset, and the facts behind it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Tuple

from attt_rules.contract.fact import Fact


class Status(str, Enum):
    """XCCDF's words where they fit. Unknown is never pass, and stays in every denominator."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True)
class Finding:
    """
    `evidence` holds every fact the rule looks at that the asset has said, readable or not;
    `missing` the keys it has said nothing about.
    """

    rule_id: str
    status: Status
    evidence: Tuple[Fact, ...] = ()
    missing: Tuple[str, ...] = ()
