"""Reads the closed condition language: all any not any_item all_items over comparisons of facts."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Set, Tuple

from attt_rules.contract import Text
from attt_rules.errors import Location, PackError
from attt_rules.pack.fields import Fields
from attt_rules.pack.records import (
    OPERATORS,
    AllItems,
    AllOf,
    AnyItem,
    AnyOf,
    Compare,
    Condition,
    Not,
    Parameter,
)
from attt_rules.yamlfile import YamlList, YamlMap


class ConditionReader:
    """One rule's conditions; `used` gathers the parameters they name."""

    def __init__(self, problems: List[PackError], parameters: Mapping[str, Parameter]) -> None:
        self.problems = problems
        self.parameters = parameters
        self.used: Set[str] = set()

    def _note(self, location: Location, vi: str, en: str) -> None:
        self.problems.append(PackError("ATTT-103", location, Text(vi=vi, en=en)))

    def read(self, node: Any, at: Location) -> Optional[Condition]:
        """One node of the closed condition language; None (and a note) when it is not in it."""
        if not isinstance(node, YamlMap):
            if node is not None:
                self._note(at, "điều kiện phải là một nhóm trường.", "a condition is a mapping.")
            return None
        here = Location(at.path, node.line)
        if "fact" in node:
            return self._compare(node, here)
        words = [w for w in ("all", "any", "not", "any_item", "all_items") if w in node]
        if len(words) != 1 or len(node) != 1:
            self._note(
                here,
                "điều kiện phải là đúng một trong: fact, all, any, not, any_item, all_items.",
                "a condition is exactly one of: fact, all, any, not, any_item, all_items.",
            )
            return None
        word = words[0]
        inner = node[word]
        if word == "not":
            part = self.read(inner, here)
            return Not(part) if part is not None else None
        if word in ("all", "any"):
            parts = self._parts(inner, here)
            if parts is None:
                return None
            return AllOf(parts) if word == "all" else AnyOf(parts)
        return self._quantified(word, inner, here)

    def _parts(self, node: Any, at: Location) -> Optional[Tuple[Condition, ...]]:
        if not isinstance(node, YamlList) or not node:
            self._note(
                at, "cần một danh sách điều kiện, không trống.", "a non-empty list is needed."
            )
            return None
        parts = [
            self.read(item, Location(at.path, line)) for item, line in zip(node, node.item_lines)
        ]
        if any(part is None for part in parts):
            return None
        return tuple(part for part in parts if part is not None)

    def _quantified(self, word: str, node: Any, at: Location) -> Optional[Condition]:
        if not isinstance(node, YamlMap):
            self._note(at, "«%s» cần of và all." % word, '"%s" needs of and all.' % word)
            return None
        fields = Fields(self.problems, at.path, node)
        of = fields.string("of")
        parts = self._parts(fields.take("all"), fields.at("all"))
        if_empty: Optional[bool] = None
        if word == "all_items" and fields.has("if_empty"):
            said = fields.string("if_empty")
            if said not in ("pass", "fail", "unknown"):
                fields.wrong(
                    "if_empty",
                    "«if_empty» là pass, fail hoặc unknown.",
                    '"if_empty" is pass, fail or unknown.',
                )
            if_empty = {"pass": True, "fail": False}.get(said)
        fields.done()
        if parts is None or not of:
            return None
        return AnyItem(of, parts) if word == "any_item" else AllItems(of, parts, if_empty)

    def _compare(self, node: YamlMap, at: Location) -> Optional[Condition]:
        operators = [word for word in node if word != "fact"]
        if len(operators) != 1 or operators[0] not in OPERATORS:
            self._note(
                at,
                "«fact» đi với đúng một phép so sánh trong: %s." % ", ".join(OPERATORS),
                '"fact" goes with exactly one comparison of: %s.' % ", ".join(OPERATORS),
            )
            return None
        op = operators[0]
        value = node[op]
        if isinstance(value, YamlMap):
            name = value.get("param")
            if set(value) != {"param"} or name not in self.parameters:
                self._note(
                    at,
                    "không có tham số «%s» trong quy tắc này." % name,
                    'this rule has no parameter "%s".' % name,
                )
                return None
            self.used.add(str(name))
            value = self.parameters[str(name)].value
        wanted = {
            "in": "danh sách / a list",
            "ge": "số / a number",
            "le": "số / a number",
            "within_days": "số / a number",
            "valid_for_days": "số / a number",
        }
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits = (
            isinstance(value, (list, tuple))
            if op == "in"
            else is_number
            if op in wanted
            else isinstance(value, (bool, int, float, str))
        )
        if not fits:
            expected = wanted.get(op, "chữ, số hoặc true/false / text, number or true/false")
            self._note(at, "«%s» cần %s." % (op, expected), '"%s" needs %s.' % (op, expected))
            return None
        return Compare(str(node["fact"]), op, tuple(value) if isinstance(value, list) else value)
