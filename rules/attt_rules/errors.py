"""Every error this project raises on purpose.

    AtttError                 code, message for the person who must act, what to do
    ├── ContractError         a fact, snapshot or envelope breaks the contract
    ├── PackError             one located problem of a rule pack (file:line)
    └── PackErrors            all problems of a pack at once

The agent and the collector add their own narrow classes under AtttError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

from attt_rules.contract.text import Text


class AtttError(Exception):
    """Something a person has to know about.

    Args:
        code: `ATTT-204`; stable and searchable, listed in docs/ma-loi.md.
        message: what happened, and to which asset or file.
        remedy: what to do now.
        permanent: False when trying the same again later may help.
    """

    def __init__(
        self, code: str, message: Text, remedy: Optional[Text] = None, permanent: bool = True
    ) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.remedy = remedy
        self.permanent = permanent

    def __str__(self) -> str:
        lines = ["%s  %s" % (self.code, self.message.vi)]
        english = self.message.en
        if self.remedy is not None:
            lines.append("          Cách xử lý: %s" % self.remedy.vi)
            english = "%s %s" % (english, self.remedy.en)
        lines.append("          (%s)" % english)
        return "\n".join(lines)


class ContractError(AtttError):
    """A fact, snapshot, envelope or enrolment that breaks the contract."""


@dataclass(frozen=True)
class Location:
    """A place in a file; `line` starts at 1, 0 means the whole file."""

    path: str
    line: int = 0

    def __str__(self) -> str:
        return "%s:%d" % (self.path, self.line) if self.line else self.path


class PackError(AtttError):
    """One problem of a rule pack, with the file and line it stands on."""

    def __init__(self, code: str, location: Location, message: Text) -> None:
        super().__init__(code, message)
        self.location = location

    def __str__(self) -> str:
        return "%s  %s: %s (%s)" % (self.code, self.location, self.message.vi, self.message.en)


class PackErrors(AtttError):
    """All problems of a pack; `errors` is never empty."""

    def __init__(self, errors: Sequence[PackError]) -> None:
        self.errors: Tuple[PackError, ...] = tuple(
            sorted(errors, key=lambda e: (e.location.path, e.location.line, e.code))
        )
        super().__init__(
            "ATTT-100",
            Text(
                vi="Bộ quy tắc có %d lỗi." % len(self.errors),
                en="The rule pack has %d errors." % len(self.errors),
            ),
            Text(
                vi="sửa từng dòng nêu dưới đây rồi nạp lại.",
                en="Mend each line named below, then load it again.",
            ),
        )

    def __str__(self) -> str:
        return "\n".join([super().__str__()] + ["  %s" % error for error in self.errors])
