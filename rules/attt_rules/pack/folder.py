"""Which files of a pack's folder are read, and which would be left out without a word."""

from __future__ import annotations

from pathlib import Path
from typing import List, Tuple

from attt_rules.contract import Text
from attt_rules.errors import Location, PackError


def files_in(
    folder: Path, pattern: str, place: Text, problems: List[PackError]
) -> Tuple[Path, ...]:
    """The files that fit `pattern`, by name. Every other file in the same part is a problem.

    A rule that somebody saved as .yml must not drop out of the report unseen.

    Args:
        folder: of the pack.
        pattern: relative, such as "rules/*/*.yaml"; its first part is what is searched whole.
        place: where such a file belongs, as a person writes it.
        problems: each file that would be left out is added, as ATTT-103.
    """
    found = sorted(folder.glob(pattern))
    part = folder / pattern.split("/", maxsplit=1)[0]
    for file in sorted(part.rglob("*")):
        if file in found or file.is_dir():
            continue
        location = Location("%s/%s" % (folder.name, file.relative_to(folder).as_posix()))
        if file.suffix == ".yaml":
            text = Text(
                vi="tệp nằm sai chỗ nên bị bỏ qua; chỗ đúng là %s." % place.vi,
                en="the file is in the wrong place and is left out; it belongs in %s." % place.en,
            )
        else:
            text = Text(
                vi="tệp không phải .yaml bị bỏ qua; đổi tên thành %s hoặc bỏ ra ngoài." % place.vi,
                en="a file that is not .yaml is left out; name it %s or take it away." % place.en,
            )
        problems.append(PackError("ATTT-103", location, text))
    return tuple(found)
