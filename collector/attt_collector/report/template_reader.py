"""Reads a report template and refuses, with file and line, whatever the closed language lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from attt_collector.records import UnitKind
from attt_collector.report.figures import TESTS
from attt_collector.report.model import Align, Column, StatementKind
from attt_collector.report.template import (
    ANNEXES,
    CLAUSES,
    EACH,
    RULE_WORDS,
    WORDS,
    AnnexColumn,
    AnnexTemplate,
    HeaderTemplate,
    SectionTemplate,
    SiteText,
    StatementTemplate,
    Template,
    TemplateErrors,
    Variant,
)
from attt_collector.report.template_language import TemplateLanguage
from attt_rules import yamlfile
from attt_rules.contract import Text
from attt_rules.errors import AtttError, Location, PackError
from attt_rules.pack import Pack
from attt_rules.pack.fields import Fields
from attt_rules.yamlfile import YamlMap

FOLDER = Path(__file__).parent / "templates"


def template_ids() -> tuple[str, ...]:
    return tuple(
        sorted(path.parent.name.replace("_", "-") for path in FOLDER.glob("*/template.yaml"))
    )


def builtin(template_id: str, pack: Pack) -> Template:
    """A template that ships with the program, for the pack in force.

    Raises:
        AtttError: ATTT-607 there is no such template.
        TemplateErrors: it is broken, or asks for what the pack does not have.
    """
    if template_id not in template_ids():
        known = ", ".join(template_ids())
        raise AtttError(
            "ATTT-607",
            Text(
                vi=f"Không có mẫu báo cáo «{template_id}».",
                en=f'There is no report template "{template_id}".',
            ),
            Text(vi=f"chọn một trong: {known}.", en=f"Choose one of: {known}."),
        )
    return load(FOLDER / template_id.replace("-", "_"), pack)


def load(folder: Path, pack: Pack) -> Template:
    """
    Raises:
        TemplateErrors: everything that is wrong, each with file and line.
    """
    shown = f"{folder.name}/template.yaml"
    try:
        tree = yamlfile.load(folder / "template.yaml", shown)
    except PackError as problem:
        raise TemplateErrors([problem]) from problem
    if not isinstance(tree, YamlMap):
        not_a_map = PackError(
            "ATTT-608",
            Location(shown, 1),
            Text(vi="tệp phải chứa các trường «tên: giá trị».", en="the file must be a mapping."),
        )
        raise TemplateErrors([not_a_map])
    reader = TemplateReader(folder, shown, pack)
    template = reader.template(tree)
    if reader.problems:
        raise TemplateErrors(reader.problems)
    return template


class TemplateReader:
    """Turns the tree of one template.yaml into a Template; gathers every problem on the way."""

    def __init__(self, folder: Path, path: str, pack: Pack) -> None:
        self.folder = folder
        self.path = path
        self.pack = pack
        self.problems: list[PackError] = []
        self.terms: dict[str, str] = {}
        self.site_texts: dict[str, SiteText] = {}
        self.language = TemplateLanguage(pack, self.terms, self.site_texts, self.problems)
        self.patterns: dict[str, list[tuple[object, Location]]] = {}

    def fields(self, node: YamlMap) -> Fields:
        return Fields(self.problems, self.path, node)

    def template(self, tree: YamlMap) -> Template:
        top = self.fields(tree)
        legal_basis, recipients = self._regime(top)
        self._site_texts(top)
        self._patterns(top)
        header_node = top.map("header") or YamlMap()
        header = self.fields(header_node)
        template = Template(
            id=top.string("id"),
            version=top.string("version"),
            folder=self.folder,
            terms=self.terms,
            legal_basis=legal_basis,
            recipients=recipients,
            headers=self._headers(header),
            place_and_date=self._words(header, "place_and_date"),
            document_type=self._words(header, "document_type"),
            subject=self._lines(header, "subject"),
            opening=self._words(top, "opening"),
            closing=self._words(top, "closing"),
            annex_label=top.string("annex_label"),
            clauses=self._clauses(top),
            unit_kinds=self._unit_kinds(top),
            site_texts=self.site_texts,
            sections=tuple(self._sections(top)),
            annexes=tuple(self._annexes(top)),
        )
        header.done()
        top.done()
        expected = self.folder.name.replace("_", "-")
        if template.id != expected:
            self.language.note(
                top.at("id"),
                f"id «{template.id}» phải là «{expected}», theo tên thư mục.",
                f'the id "{template.id}" must be "{expected}", as the folder is named.',
            )
        return template

    def _regime(self, top: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
        self.terms.update({name: text.vi for name, text in self.pack.terms.items()})
        regimes = top.map("regimes") or YamlMap()
        node = regimes.get(self.pack.id)
        if not isinstance(node, YamlMap):
            self.language.note(
                top.at("regimes"),
                f"chưa có câu chữ cho bộ quy tắc «{self.pack.id}».",
                f'there is no wording for the rule pack "{self.pack.id}".',
            )
            return (), ()
        regime = self.fields(node)
        terms = regime.map("terms") or YamlMap()
        self.terms.update({name: str(value) for name, value in terms.items()})
        found = (
            tuple(str(line) for line, _ in regime.items("legal_basis")),
            tuple(str(line) for line, _ in regime.items("recipients")),
        )
        regime.done()
        return found

    def _site_texts(self, top: Fields) -> None:
        for name, node in (top.map("site_texts", required=False) or YamlMap()).items():
            if isinstance(node, YamlMap):
                inner = self.fields(node)
                text = SiteText(inner.string("key"), inner.string("known"), inner.string("missing"))
                self.language.only(inner.at("known"), text.known, ("value",))
                self.language.only(inner.at("missing"), text.missing, ())
                inner.done()
                self.site_texts[name] = text

    def _patterns(self, top: Fields) -> None:
        node = top.map("patterns", required=False)
        if node is not None:
            inner = self.fields(node)
            self.patterns = {name: list(inner.items(name)) for name in node}

    def _headers(self, header: Fields) -> dict[UnitKind, HeaderTemplate]:
        by_kind = header.map("by_unit_kind") or YamlMap()
        found = {}
        for kind in UnitKind:
            node = by_kind.get(kind.value)
            if not isinstance(node, YamlMap):
                self.language.note(
                    header.at("by_unit_kind"),
                    f"thiếu phần đầu văn bản cho cấp «{kind.value}».",
                    f'there is no header for units of kind "{kind.value}".',
                )
                continue
            inner = self.fields(node)
            found[kind] = HeaderTemplate(
                parent=self._lines(inner, "parent"),
                number=self._words(inner, "number"),
                signature=self._lines(inner, "signature"),
                scope=self._words(inner, "scope"),
                offices=self._words(inner, "offices"),
            )
            inner.done()
        return found

    def _lines(self, fields: Fields, key: str) -> tuple[str, ...]:
        found = []
        for line, at in fields.items(key):
            self.language.check(at, str(line), ())
            found.append(str(line))
        return tuple(found)

    def _words(self, fields: Fields, key: str) -> str:
        text = fields.string(key)
        self.language.check(fields.at(key), text, ())
        return text

    def _clauses(self, top: Fields) -> dict[str, str]:
        node = top.map("clauses") or YamlMap()
        inner = self.fields(node)
        found = {}
        for name, allowed in CLAUSES.items():
            found[name] = inner.string(name)
            self.language.only(inner.at(name), found[name], allowed)
        inner.done()
        return found

    def _unit_kinds(self, top: Fields) -> dict[UnitKind, str]:
        inner = self.fields(top.map("unit_kinds") or YamlMap())
        found = {}
        for kind in UnitKind:
            found[kind] = inner.string(kind.value)
            self.language.only(inner.at(kind.value), found[kind], ("count",))
        inner.done()
        return found

    def _sections(self, top: Fields) -> Iterator[SectionTemplate]:
        seen: set[str] = set()
        for node, at in top.items("sections"):
            if not isinstance(node, YamlMap):
                self.language.note(at, "mục phải là một nhóm trường.", "a section is a mapping.")
                continue
            fields = self.fields(node)
            statements = []
            for item, place in fields.items("statements", required=False):
                if not isinstance(item, YamlMap):
                    self.language.note(
                        place, "câu phải là một nhóm trường.", "a statement is a mapping."
                    )
                    continue
                statement = self._statement(item)
                if statement.id in seen:
                    self.language.note(
                        place, f"trùng id «{statement.id}».", "this id stands twice."
                    )
                seen.add(statement.id)
                statements.append(statement)
            yield SectionTemplate(
                id=fields.string("id"),
                title=self._words(fields, "title"),
                level=int(fields.number("level", 1)),
                statements=tuple(statements),
            )
            fields.done()

    def _statement(self, node: YamlMap) -> StatementTemplate:
        fields = self.fields(node)
        statement_id = fields.string("id")
        kind = StatementKind.COMPUTED
        if fields.has("kind"):
            kind = fields.one_of("kind", StatementKind, StatementKind.COMPUTED)
        this = fields.string("indicator", required=False)
        subject = fields.string("subject", required=False)
        each = fields.string("each", required=False)
        each_text = fields.string("text") if each else ""
        limit = int(fields.number("limit", 0))
        needs = fields.string("needs", required=False)
        if needs and needs not in WORDS:
            known = ", ".join(WORDS)
            fields.wrong("needs", f"«needs» là một trong: {known}.", f'"needs" is of: {known}.')
        figures: dict[str, None] = {this: None} if this else {}
        this_exists = not this or self.language.figure_exists(fields.at("indicator"), this)
        if subject:
            figures.update(dict.fromkeys(self.language.check(fields.at("subject"), subject, ())))
        if each:
            if each not in EACH:
                known = ", ".join(EACH)
                fields.wrong("each", f"«each» là một trong: {known}.", f'"each" is of: {known}.')
            self.language.check(fields.at("text"), each_text, RULE_WORDS)
        pattern = fields.string("pattern", required=False)
        if pattern:
            if pattern not in self.patterns:
                fields.wrong("pattern", f"không có mẫu câu «{pattern}».", "no such pattern.")
            items = self.patterns.get(pattern, [])
        else:
            items = fields.items("variants")
        variants = []
        for item, at in items if this_exists else ():
            if isinstance(item, YamlMap):
                variants.append(self._variant(item, this, subject, figures))
            else:
                self.language.note(
                    at, "cách viết phải có when và text.", "a variant has when and text."
                )
        if variants and kind is StatementKind.COMPUTED and variants[-1].tests:
            self.language.note(
                fields.at(),
                f"câu «{statement_id}» thiếu trường hợp cuối «when: otherwise».",
                f'the statement "{statement_id}" lacks a last "when: otherwise".',
            )
        fields.done()
        return StatementTemplate(
            statement_id, kind, tuple(variants), tuple(figures), each, each_text, limit, needs
        )

    def _variant(self, node: YamlMap, this: str, subject: str, figures: dict[str, None]) -> Variant:
        fields = self.fields(node)
        when = fields.take("when")
        asked = [when] if isinstance(when, str) else when
        if not isinstance(asked, list):
            fields.wrong("when", "«when» là một phép thử hoặc danh sách.", '"when" is one test.')
            asked = []
        tests = []
        for ask in asked:
            if ask == "otherwise":
                continue
            name, _, test = str(ask).rpartition(".")
            name = this if name == "this" else name
            if test not in TESTS:
                known = ", ".join(TESTS)
                fields.wrong(
                    "when",
                    f"không có phép thử «{test}»; có: otherwise, {known}.",
                    f'no test "{test}"; there are: otherwise, {known}.',
                )
                continue
            self.language.figure_exists(fields.at("when"), name)
            figures[name] = None
            tests.append((name, test))
        text = fields.string("text")
        if this:
            text = text.replace("{this.", "{" + this + ".")
        # The subject was checked where it stands: its problems are not those of the pattern.
        named = self.language.check(fields.at("text"), text, ("subject",) if subject else ())
        figures.update(dict.fromkeys(named))
        fields.done()
        return Variant(tuple(tests), text.replace("{subject}", subject))

    def _annexes(self, top: Fields) -> Iterator[AnnexTemplate]:
        for node, at in top.items("annexes", required=False):
            if not isinstance(node, YamlMap):
                self.language.note(at, "phụ lục phải là một nhóm trường.", "an annex is a mapping.")
                continue
            fields = self.fields(node)
            annex_id = fields.string("id")
            if annex_id not in ANNEXES:
                known = ", ".join(ANNEXES)
                fields.wrong("id", f"phụ lục là một trong: {known}.", f"annexes are: {known}.")
            yield AnnexTemplate(
                id=annex_id,
                title=self._words(fields, "title"),
                note=self._words(fields, "note") if fields.has("note") else "",
                columns=tuple(self._columns(fields, annex_id)),
                up_to=int(fields.number("up_to", 0)),
            )
            fields.done()

    def _columns(self, fields: Fields, annex_id: str) -> Iterator[AnnexColumn]:
        for node, at in fields.items("columns"):
            if not isinstance(node, YamlMap):
                self.language.note(at, "cột phải là một nhóm trường.", "a column is a mapping.")
                continue
            inner = self.fields(node)
            name = inner.string("field")
            figure = inner.string("figure", required=False)
            if name not in ANNEXES.get(annex_id, ()):
                known = ", ".join(ANNEXES.get(annex_id, ()))
                inner.wrong("field", f"cột là một trong: {known}.", f"columns are: {known}.")
            if name == "figure":
                self.language.figure_exists(inner.at("figure"), figure)
            align = inner.one_of("align", Align, Align.LEFT) if inner.has("align") else Align.LEFT
            share = int(inner.number("share", 1))
            yield AnnexColumn(name, figure, Column(inner.string("title"), share, align))
            inner.done()
