"""Takes the fields of one YAML mapping by name and type, noting every problem with its line."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from typing import Any, List, Optional, Set, Tuple, Type, TypeVar

from attt_rules.contract import AssetKind, Text
from attt_rules.errors import Location, PackError
from attt_rules.yamlfile import YamlList, YamlMap

_E = TypeVar("_E", bound=Enum)


class Fields:
    """Takes the fields of one mapping by name and type; notes what is missing, wrong or unknown."""

    def __init__(self, problems: List[PackError], path: str, node: YamlMap) -> None:
        self.problems = problems
        self.path = path
        self.node = node
        self.taken: Set[str] = set()

    def at(self, key: str = "") -> Location:
        return Location(self.path, self.node.line_of(key) if key else self.node.line)

    def wrong(self, key: str, vi: str, en: str) -> None:
        self.problems.append(PackError("ATTT-103", self.at(key), Text(vi=vi, en=en)))

    def has(self, key: str) -> bool:
        return self.node.get(key) is not None

    def take(self, key: str, required: bool = True) -> Any:
        self.taken.add(key)
        value = self.node.get(key)
        if value is None and required:
            self.wrong(key, "thiếu trường «%s»." % key, 'the field "%s" is missing.' % key)
        return value

    def string(self, key: str, required: bool = True) -> str:
        value = self.take(key, required)
        if value is None:
            return ""
        if isinstance(value, (YamlMap, YamlList, bool)):
            self.wrong(key, "«%s» phải là chữ." % key, '"%s" must be text.' % key)
            return ""
        return str(value)

    def text(self, key: str, required: bool = True) -> Text:
        value = self.take(key, required)
        empty = Text(vi="?", en="?")
        if value is None:
            return empty
        if not isinstance(value, YamlMap) or set(value) != {"vi", "en"}:
            self.wrong(key, "«%s» phải có vi và en." % key, '"%s" needs vi and en.' % key)
            return empty
        vi, en = value["vi"], value["en"]
        if not (isinstance(vi, str) and isinstance(en, str) and vi.strip() and en.strip()):
            self.wrong(key, "«%s»: vi hoặc en trống." % key, '"%s": vi or en is empty.' % key)
            return empty
        return Text(vi=vi.strip(), en=en.strip())

    def day(self, key: str, required: bool = True) -> Optional[date]:
        value = self.take(key, required)
        if isinstance(value, datetime) or (value is not None and not isinstance(value, date)):
            self.wrong(
                key, "«%s» phải là ngày YYYY-MM-DD." % key, '"%s" must be a date YYYY-MM-DD.' % key
            )
            return None
        return value

    def one_of(self, key: str, enum: Type[_E], default: _E) -> _E:
        value = self.take(key)
        try:
            return enum(value)
        except ValueError:
            if value is not None:
                choices = ", ".join(str(member.value) for member in enum)
                self.wrong(
                    key,
                    "«%s» phải là một trong: %s." % (key, choices),
                    '"%s" must be one of: %s.' % (key, choices),
                )
            return default

    def number(self, key: str, default: float) -> float:
        value = self.take(key, required=False)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.wrong(key, "«%s» phải là số." % key, '"%s" must be a number.' % key)
            return default
        return value

    def map(self, key: str, required: bool = True) -> Optional[YamlMap]:
        value = self.take(key, required)
        if value is not None and not isinstance(value, YamlMap):
            self.wrong(key, "«%s» phải là một nhóm trường." % key, '"%s" must be a mapping.' % key)
            return None
        return value

    def items(self, key: str, required: bool = True) -> List[Tuple[Any, Location]]:
        value = self.take(key, required)
        if value is None:
            return []
        if not isinstance(value, YamlList):
            self.wrong(key, "«%s» phải là danh sách." % key, '"%s" must be a list.' % key)
            return []
        return [(item, Location(self.path, line)) for item, line in zip(value, value.item_lines)]

    def kinds(self, key: str) -> Tuple[AssetKind, ...]:
        found = []
        for item, location in self.items(key):
            try:
                found.append(AssetKind(item))
            except ValueError:
                choices = ", ".join(kind.value for kind in AssetKind)
                self.problems.append(
                    PackError(
                        "ATTT-103",
                        location,
                        Text(
                            vi="không có loại tài sản «%s»; có: %s." % (item, choices),
                            en='no asset kind "%s"; there are: %s.' % (item, choices),
                        ),
                    )
                )
        return tuple(found)

    def done(self) -> None:
        for key in self.node:
            if key not in self.taken:
                self.wrong(key, "không hiểu trường «%s»." % key, 'unknown field "%s".' % key)
