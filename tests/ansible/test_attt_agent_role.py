"""The files of the role, without a machine: they parse, and what they promise is written down."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "ansible/roles/attt_agent"
FILES = sorted((ROOT / "ansible").rglob("*.yml"))
_VARIABLE = re.compile(r"\battt_\w+")


def _parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def _options() -> dict[str, dict[str, Any]]:
    specs = _parsed(ROLE / "meta/argument_specs.yml")
    options: dict[str, dict[str, Any]] = specs["argument_specs"]["main"]["options"]
    return options


def _tasks(node: Any) -> list[dict[str, Any]]:
    """Every task below a parsed file, those inside blocks too."""
    found: list[dict[str, Any]] = []
    for task in node or ():
        found.append(task)
        found += _tasks(task.get("block"))
    return found


def _all_tasks() -> list[dict[str, Any]]:
    files = sorted(ROLE.glob("tasks/*.yml")) + sorted(ROLE.glob("handlers/*.yml"))
    return [task for path in files for task in _tasks(_parsed(path))]


def test_it_works() -> None:
    (play,) = _parsed(ROOT / "ansible/agents.yml")
    assert [role["role"] for role in play["roles"]] == [ROLE.name]
    assert [path.name for path in FILES if _parsed(path) is None] == []


def test_argument_specs_name_every_variable_of_the_tasks() -> None:
    text = "".join(path.read_text("utf-8") for path in ROLE.glob("tasks/*.yml"))
    own = {task["register"] for task in _all_tasks() if "register" in task}
    for task in _all_tasks():
        own |= set(task.get("vars", ())) | set(task.get("ansible.builtin.set_fact", ()))
    used = set(_VARIABLE.findall(text)) - own
    assert sorted(used) == sorted(_options())


def test_every_default_is_documented() -> None:
    defaults = _parsed(ROLE / "defaults/main.yml")
    documented = {name: spec["default"] for name, spec in _options().items() if "default" in spec}
    assert defaults == documented


def test_the_readme_has_every_variable_in_both_languages() -> None:
    vietnamese, english = (ROLE / "README.md").read_text("utf-8").split("\n---\n")
    for half in (vietnamese, english):
        rows = dict(re.findall(r"^\| `(attt_\w+)` \| ([^|]*?) \|", half, re.MULTILINE))
        expected = {
            name: f"`{str(spec['default']).lower()}`" if "default" in spec else rows.get(name)
            for name, spec in _options().items()
        }
        assert rows == expected


def test_only_modules_that_come_with_ansible_core_are_used() -> None:
    keywords = {
        "name", "when", "vars", "block", "register", "changed_when", "failed_when", "check_mode",
        "no_log", "notify", "loop", "environment",
    }  # fmt: skip
    modules = {key for task in _all_tasks() for key in task} - keywords
    assert modules
    assert {name for name in modules if not name.startswith("ansible.builtin.")} == set()


def test_the_code_stands_only_where_nothing_is_logged() -> None:
    expected = ["Cần mã ghi danh / The enrolment code is needed", "Ghi danh / Enrol",
                "Chưa ghi danh được / Not enrolled"]  # fmt: skip
    seen = [task for task in _all_tasks() if "block" not in task and "attt_enrol_code" in str(task)]
    assert [task["name"] for task in seen] == expected
    # The first says whether there is one, the last replaces it; the one that uses it is silent.
    assert [task.get("no_log", False) for task in seen] == [False, True, False]


def test_the_example_inventory_names_only_variables_that_exist() -> None:
    text = (ROOT / "ansible/inventory.example.ini").read_text("utf-8")
    named = {name for name in _VARIABLE.findall(text) if name != "attt_agents"}
    required = {name for name, spec in _options().items() if spec["required"]}
    assert named <= set(_options())
    assert required <= named
