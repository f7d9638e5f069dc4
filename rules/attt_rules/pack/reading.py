"""Reads a pack's folder whole and collects everything that is wrong with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

from attt_rules import yamlfile
from attt_rules.contract import AssetKind, Fact, Status, Text, Unreadable
from attt_rules.errors import Location, PackError, PackErrors
from attt_rules.pack.conditions import ConditionReader
from attt_rules.pack.fields import Fields
from attt_rules.pack.folder import files_in
from attt_rules.pack.records import (
    EXAMPLE_AS_OF,
    Bindingness,
    Citation,
    Condition,
    Confidence,
    DecidedBy,
    Example,
    IndicatorKind,
    IndicatorSpec,
    Pack,
    Parameter,
    Requirement,
    Rule,
    Severity,
)
from attt_rules.yamlfile import YamlList, YamlMap

_RULE_FILE = Text(vi="rules/<nhóm>/<tên>.yaml", en="rules/<group>/<name>.yaml")
_INDICATOR_FILE = Text(vi="indicators/<tên>.yaml", en="indicators/<name>.yaml")


class PackReader:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: List[PackError] = []

    def read(self) -> Pack:
        head = self._map_of("pack.yaml")
        if head is None:
            raise PackErrors(self.problems)
        fields = Fields(self.problems, self._shown("pack.yaml"), head)
        pack_id = fields.string("id")
        if pack_id and pack_id != self.folder.name:
            fields.wrong(
                "id",
                "id «%s» phải trùng tên thư mục «%s»." % (pack_id, self.folder.name),
                'the id "%s" must equal the folder name "%s".' % (pack_id, self.folder.name),
            )
        title = fields.text("title")
        version = fields.string("version")
        valid_from = fields.day("valid_from") or date.min
        valid_until = fields.day("valid_until", required=False)
        legal_basis = self._citations(fields, "legal_basis")
        terms = self._terms(fields)
        incomplete = fields.text("incomplete_because") if fields.has("incomplete_because") else None
        indicators_from = fields.string("indicators_from", required=False)
        fields.done()
        requirements = self._requirements()
        rules = self._rules()
        for rule in rules.values():
            if rule.requirement not in requirements:
                self._note(
                    rule.location,
                    "yêu cầu «%s» không có trong requirements.yaml." % rule.requirement,
                    'the requirement "%s" is not in requirements.yaml.' % rule.requirement,
                )
        indicators = self._indicators(indicators_from, rules)
        if self.problems:
            raise PackErrors(self.problems)
        return Pack(
            id=pack_id,
            title=title,
            version=version,
            valid_from=valid_from,
            valid_until=valid_until,
            legal_basis=legal_basis,
            terms=terms,
            incomplete_because=incomplete,
            requirements=requirements,
            rules=rules,
            indicators=indicators,
        )

    def _shown(self, relative: str) -> str:
        return "%s/%s" % (self.folder.name, relative)

    def _note(self, location: Location, vi: str, en: str) -> None:
        self.problems.append(PackError("ATTT-103", location, Text(vi=vi, en=en)))

    def _tree_of(self, relative: str, folder: Optional[Path] = None) -> Any:
        place = folder or self.folder
        try:
            return yamlfile.load(place / relative, "%s/%s" % (place.name, relative))
        except PackError as problem:
            self.problems.append(problem)
            return None

    def _map_of(self, relative: str, folder: Optional[Path] = None) -> Optional[YamlMap]:
        before = len(self.problems)
        tree = self._tree_of(relative, folder)
        if isinstance(tree, YamlMap):
            return tree
        if len(self.problems) == before:
            place = folder or self.folder
            self._note(
                Location("%s/%s" % (place.name, relative), 1),
                "tệp phải chứa các trường «tên: giá trị».",
                "the file must hold fields, one mapping.",
            )
        return None

    def _citations(self, fields: Fields, key: str) -> Tuple[Citation, ...]:
        found = []
        for node, location in fields.items(key):
            if not isinstance(node, YamlMap):
                self._note(
                    location, "trích dẫn phải là một nhóm trường.", "a citation is a mapping."
                )
                continue
            inner = Fields(self.problems, fields.path, node)
            found.append(
                Citation(
                    document=inner.string("document"),
                    edition=inner.string("edition", required=False),
                    clause=inner.string("clause", required=False),
                    confidence=inner.one_of("confidence", Confidence, Confidence.UNVERIFIED),
                    valid_from=inner.day("valid_from", required=False),
                    valid_until=inner.day("valid_until", required=False),
                )
            )
            inner.done()
        if not found and fields.has(key):
            fields.wrong(key, "«%s» trống." % key, '"%s" is empty.' % key)
        return tuple(found)

    def _terms(self, fields: Fields) -> Dict[str, Text]:
        node = fields.map("terms")
        if node is None:
            return {}
        inner = Fields(self.problems, fields.path, node)
        return {name: inner.text(name) for name in node}

    def _requirements(self) -> Dict[str, Requirement]:
        relative = "requirements.yaml"
        path = self._shown(relative)
        before = len(self.problems)
        tree = self._tree_of(relative)
        if not isinstance(tree, YamlList):
            if len(self.problems) == before:
                self._note(Location(path, 1), "tệp phải là danh sách.", "the file must be a list.")
            return {}
        found: Dict[str, Requirement] = {}
        for node, line in zip(tree, tree.item_lines):
            location = Location(path, line)
            if not isinstance(node, YamlMap):
                self._note(location, "yêu cầu phải là một nhóm trường.", "must be a mapping.")
                continue
            fields = Fields(self.problems, path, node)
            requirement = Requirement(
                id=fields.string("id"),
                title=fields.text("title"),
                by=fields.one_of("by", DecidedBy, DecidedBy.ATTESTED),
                citations=self._citations(fields, "citations"),
                location=location,
            )
            fields.done()
            if requirement.id in found:
                self._note(
                    location,
                    "trùng mã yêu cầu «%s»." % requirement.id,
                    'the requirement id "%s" stands twice.' % requirement.id,
                )
            found[requirement.id] = requirement
        return found

    def _rules(self) -> Dict[str, Rule]:
        found: Dict[str, Rule] = {}
        for file in files_in(self.folder, "rules/*/*.yaml", _RULE_FILE, self.problems):
            relative = file.relative_to(self.folder).as_posix()
            node = self._map_of(relative)
            if node is None:
                continue
            rule_id = "%s.%s" % (file.parent.name, file.stem)
            before = len(self.problems)
            path = self._shown(relative)
            if "like" in node:
                merged = self._with_twin(path, relative, node)
                if merged is None:
                    continue
                node = merged
            rule = self._rule(rule_id, path, node)
            if rule is not None and len(self.problems) == before:
                found[rule_id] = rule
        return found

    def _with_twin(self, path: str, relative: str, node: YamlMap) -> Optional[YamlMap]:
        """The rule of the same id in the pack named by `like`, overlaid with what stands here."""
        other = self.folder.parent / str(node["like"])
        if not (other / relative).is_file():
            self._note(
                Location(path, node.line_of("like")),
                "bộ «%s» không có quy tắc này." % node["like"],
                'the pack "%s" has no such rule.' % node["like"],
            )
            return None
        base = self._map_of(relative, other)
        if base is None:
            return None
        merged = YamlMap(base)
        merged.update((key, value) for key, value in node.items() if key != "like")
        merged.line = node.line
        # A taken-over field has its line in the other file: errors then point at `like`.
        merged.key_lines = {key: node.key_lines.get(key, node.line_of("like")) for key in merged}
        return merged

    def _rule(self, rule_id: str, path: str, node: YamlMap) -> Optional[Rule]:
        fields = Fields(self.problems, path, node)
        if fields.string("id") not in ("", rule_id):
            fields.wrong(
                "id",
                "id phải là «%s», theo tên tệp." % rule_id,
                'the id must be "%s", as the file is named.' % rule_id,
            )
        code = fields.string("code")
        title = fields.text("title")
        requirement = fields.string("requirement")
        applies_to = fields.kinds("applies_to")
        severity = fields.one_of("severity", Severity, Severity.LOW)
        bindingness = fields.one_of("bindingness", Bindingness, Bindingness.LOCAL)
        parameters = self._parameters(fields)
        conditions = ConditionReader(self.problems, parameters)
        applies_when = (
            conditions.read(fields.take("applies_when"), fields.at("applies_when"))
            if fields.has("applies_when")
            else None
        )
        check = conditions.read(fields.take("check"), fields.at("check"))
        fix = fields.text("fix")
        examples = tuple(
            example
            for example in (
                self._example(item, location, path) for item, location in fields.items("examples")
            )
            if example is not None
        )
        fields.done()
        for name in sorted(set(parameters) - conditions.used):
            fields.wrong(
                "parameters",
                "tham số «%s» không dùng ở đâu." % name,
                'the parameter "%s" is used nowhere.' % name,
            )
        if check is None:
            return None
        return Rule(
            id=rule_id,
            code=code,
            title=title,
            requirement=requirement,
            applies_to=applies_to,
            applies_when=applies_when,
            severity=severity,
            bindingness=bindingness,
            parameters=parameters,
            check=check,
            fix=fix,
            examples=examples,
            location=Location(path, 1),
        )

    def _parameters(self, fields: Fields) -> Dict[str, Parameter]:
        node = fields.map("parameters", required=False)
        found: Dict[str, Parameter] = {}
        for name, value in (node or YamlMap()).items():
            if not isinstance(value, YamlMap):
                fields.wrong(
                    "parameters", "«%s» phải có value." % name, '"%s" needs a value.' % name
                )
                continue
            inner = Fields(self.problems, fields.path, value)
            limit = inner.take("value")
            stricter = inner.string("stricter")
            if stricter not in ("higher", "lower", ""):
                inner.wrong(
                    "stricter",
                    "«stricter» là higher hoặc lower.",
                    '"stricter" is higher or lower.',
                )
            found[name] = Parameter(
                name=name,
                value=tuple(limit) if isinstance(limit, list) else limit,
                stricter=stricter,
                basis=inner.string("basis"),
            )
            inner.done()
        return found

    def _example(self, node: Any, at: Location, path: str) -> Optional[Example]:
        if not isinstance(node, YamlMap):
            self._note(at, "ví dụ phải có expect và facts.", "an example has expect and facts.")
            return None
        fields = Fields(self.problems, path, node)
        expect = fields.one_of("expect", Status, Status.UNKNOWN)
        said = fields.map("facts") or YamlMap()
        fields.done()
        facts: List[Fact] = []
        for key, value in said.items():
            pairs = value.items() if isinstance(value, YamlMap) else [(None, value)]
            for item, inner in pairs:
                try:
                    facts.append(_example_fact(key, item, inner))
                except ValueError as problem:
                    self._note(at, "dữ kiện sai: %s" % problem, "bad fact: %s" % problem)
        return Example(expect, tuple(facts), at)

    def _indicators(self, other: str, rules: Mapping[str, Rule]) -> Dict[str, IndicatorSpec]:
        folder = self.folder.parent / other if other else self.folder
        found: Dict[str, IndicatorSpec] = {}
        for file in files_in(folder, "indicators/*.yaml", _INDICATOR_FILE, self.problems):
            relative = "indicators/%s" % file.name
            node = self._map_of(relative, folder)
            if node is None:
                continue
            spec = self._indicator(file.stem, "%s/%s" % (folder.name, relative), node, rules)
            if spec is None:
                continue
            if spec.id in found:
                self._note(
                    spec.location,
                    "trùng mã chỉ tiêu «%s»." % spec.id,
                    'the indicator id "%s" stands twice.' % spec.id,
                )
            found[spec.id] = spec
        return dict(sorted(found.items()))

    def _indicator(
        self, slug: str, path: str, node: YamlMap, rules: Mapping[str, Rule]
    ) -> Optional[IndicatorSpec]:
        fields = Fields(self.problems, path, node)
        conditions = ConditionReader(self.problems, {})
        kind = fields.one_of("kind", IndicatorKind, IndicatorKind.COUNT)
        population = fields.map("population")
        kinds: Tuple[AssetKind, ...] = ()
        when: Optional[Condition] = None
        if population is not None:
            inner = Fields(self.problems, path, population)
            kinds = inner.kinds("kinds")
            if inner.has("when"):
                when = conditions.read(inner.take("when"), inner.at("when"))
            inner.done()
        rule: Optional[str] = None
        check: Optional[Condition] = None
        if kind is not IndicatorKind.COUNT:
            numerator = fields.map("numerator")
            if numerator is not None:
                inner = Fields(self.problems, path, numerator)
                if inner.has("rule"):
                    rule = inner.string("rule")
                    if rule not in rules:
                        inner.wrong("rule", "không có quy tắc «%s»." % rule, 'no rule "%s".' % rule)
                else:
                    check = conditions.read(inner.take("check"), inner.at("check"))
                inner.done()
        planned: Optional[str] = None
        if kind is IndicatorKind.ATTAINMENT:
            plan = fields.map("planned")
            if plan is not None:
                inner = Fields(self.problems, path, plan)
                planned = inner.string("fact")
                inner.done()
        spec = IndicatorSpec(
            id=fields.string("id"),
            slug=slug,
            title=fields.text("title"),
            kind=kind,
            noun=fields.text("noun"),
            kinds=kinds,
            when=when,
            rule=rule,
            check=check,
            planned=planned,
            decimals=int(fields.number("decimals", 1 if kind is IndicatorKind.ATTAINMENT else 2)),
            warn_above_percent=fields.number("warn_above_percent", 0) or None,
            location=Location(path, 1),
        )
        fields.done()
        return spec


def _example_fact(key: str, item: Optional[str], value: Any) -> Fact:
    source = "example"
    if value == "unreadable":
        return Fact(key, EXAMPLE_AS_OF, source, unreadable=Unreadable.ACCESS_DENIED, item=item)
    if value in tuple(Unreadable):
        return Fact(key, EXAMPLE_AS_OF, source, unreadable=Unreadable(value), item=item)
    if isinstance(value, list):
        value = tuple(str(part) for part in value)
    return Fact(key, EXAMPLE_AS_OF, source, value=value, item=item)
