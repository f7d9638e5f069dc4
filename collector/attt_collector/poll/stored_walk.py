"""Reads a recorded walk, so that families are tested on real devices nobody has to own.

Format: snmpsim's .snmprec text, one `OID|type|value` a line (also packed, .snmprec.bz2).
Types: the ASN.1 tag in decimal (2 INTEGER, 4 OCTET STRING, 6 OID, 64 IpAddress, 65 Counter32,
66 Gauge32, 67 TimeTicks, 68 Opaque, 70 Counter64), with "x" when the value is in hex.
Sample: 1.3.6.1.2.1.2.2.1.2.1|4|lo
        1.3.6.1.2.1.2.2.1.6.2|4x|005056b1c2d3
"""

from __future__ import annotations

import bz2
import logging
import re
from ipaddress import IPv4Address
from pathlib import Path

from attt_collector.family import Oid, Walk, WalkValue, oid
from attt_rules.contract import Text
from attt_rules.errors import AtttError, Location

_LINE = re.compile(
    rb"\.?(?P<oid>[0-9][^|]*)\|(?P<type>[0-9]+x?(:[a-z]+)?)\|(?P<value>.*)", re.DOTALL
)
_INTEGERS = {2, 65, 66, 67, 70}
_STRINGS = {4, 68}
_OBJECT_ID, _IP_ADDRESS, _NULL = 6, 64, 5

log = logging.getLogger(__name__)


class StoredWalkError(AtttError):
    """A line of a recording that is not of the form above."""

    def __init__(self, location: Location) -> None:
        super().__init__(
            "ATTT-414",
            Text(
                vi=f"{location}: không phải dòng «OID|kiểu|giá trị» của tệp .snmprec.",
                en=f"{location}: not an OID|type|value line of a .snmprec file.",
            ),
            Text(
                vi="ghi lại bản ghi bằng công cụ snmprec của snmpsim.",
                en="Record the walk again with snmpsim's snmprec tool.",
            ),
        )


def read(path: Path) -> Walk:
    """The recording as a walk without gaps: what is not in it, the device has not got.

    People who publish recordings mask addresses (`10.xx.xx.1`, `58AC78XXYYZZ`); such a value is
    no value, so its line is left out, and a warning counts them.

    Raises:
        StoredWalkError: a line is not of the .snmprec form.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    if path.suffix == ".bz2":
        content = bz2.decompress(content)
    answers: dict[Oid, WalkValue] = {}
    masked = 0
    for number, raw_line in enumerate(content.split(b"\n"), start=1):
        line = raw_line.removesuffix(b"\r")
        if not line.strip() or line.startswith(b"#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise StoredWalkError(Location(str(path), number))
        try:
            value = _value(match["type"].decode("ascii"), match["value"])
            if value is not None:
                answers[oid(match["oid"].decode("ascii"))] = value
        except ValueError:
            masked += 1
    if masked:
        log.warning("masked values left out file=%s lines=%d", path, masked)
    return Walk(answers)


def _value(tag: str, text: bytes) -> WalkValue | None:
    """
    Raises:
        ValueError: the value is not of its type.
    """
    kind, varied, _ = tag.partition(":")
    if varied:
        return None  # "2:numeric": snmpsim is told to make values up, none was recorded
    is_hex = kind.endswith("x")
    number = int(kind.removesuffix("x"))
    if number == _NULL:
        return None
    if number in _INTEGERS:
        return int(text)
    if number in _STRINGS:
        return bytes.fromhex(text.decode("ascii")) if is_hex else text
    if number == _OBJECT_ID:
        return oid(text.decode("ascii"))
    if number == _IP_ADDRESS:
        if is_hex:
            return bytes.fromhex(text.decode("ascii"))
        # Older recorders wrote the four bytes as they are.
        return text if len(text) == 4 else IPv4Address(text.decode("ascii")).packed
    return None  # exceptions such as 128, noSuchObject
