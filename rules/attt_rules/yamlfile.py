"""The only door to PyYAML: plain maps and lists that still know on which line they stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Hashable, List

import yaml

from attt_rules.contract.text import Text
from attt_rules.errors import Location, PackError

# libyaml's parser is ten times faster; a wheel without it still works.
_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlMap(Dict[str, Any]):
    """A mapping that remembers its own line and the line of each of its keys (from 1)."""

    def __init__(self, content: Any = ()) -> None:
        super().__init__(content)
        self.line = 0
        self.key_lines: Dict[str, int] = {}

    def line_of(self, key: str) -> int:
        return self.key_lines.get(key, self.line)


class YamlList(List[Any]):
    """A list that remembers its own line and the line of each of its items (from 1)."""

    def __init__(self, content: Any = ()) -> None:
        super().__init__(content)
        self.line = 0
        self.item_lines: List[int] = []


class _Loader(_BaseLoader):  # type: ignore[misc]  # the base is chosen at run time
    pass


def _construct_map(loader: Any, node: yaml.MappingNode) -> YamlMap:
    seen = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, Hashable) or key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, "key %r stands here twice" % (key,), key_node.start_mark
            )
        seen.add(key)
    loader.flatten_mapping(node)  # resolves "<<"
    made = YamlMap()
    made.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = str(loader.construct_object(key_node, deep=True))
        made[key] = loader.construct_object(value_node, deep=True)
        made.key_lines[key] = key_node.start_mark.line + 1
    return made


def _construct_list(loader: Any, node: yaml.SequenceNode) -> YamlList:
    made = YamlList(loader.construct_object(child, deep=True) for child in node.value)
    made.line = node.start_mark.line + 1
    made.item_lines = [child.start_mark.line + 1 for child in node.value]
    return made


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)
_Loader.add_constructor("tag:yaml.org,2002:seq", _construct_list)


def load(path: Path, shown_as: str = "") -> Any:
    """The one document of a YAML file; mappings are YamlMap, sequences YamlList.

    Args:
        shown_as: how errors name the file; its whole path when empty.

    Raises:
        PackError: ATTT-101 not YAML, with the line; ATTT-102 the file cannot be read.
    """
    shown = shown_as or str(path)
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise PackError(
            "ATTT-102",
            Location(shown),
            Text(
                vi="không đọc được tệp (%s); tệp phải là văn bản UTF-8." % problem,
                en="the file cannot be read; it must be UTF-8 text.",
            ),
        ) from problem
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - a SafeLoader, made above
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        said = getattr(problem, "problem", None) or str(problem)
        raise PackError(
            "ATTT-101",
            Location(shown, mark.line + 1 if mark is not None else 0),
            Text(vi="sai cú pháp YAML: %s" % said, en="not valid YAML: %s" % said),
        ) from problem
