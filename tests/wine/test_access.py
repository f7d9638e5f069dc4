"""The Windows access layer against wine's own registry, services, network, WMI and accounts.

What wine does not have (Security Center, password rules, samlib) shows how its absence is told.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.wine.rig import WinePython

pytestmark = pytest.mark.wine

Seed = Callable[[dict[str, dict[str, tuple[str, Any]]]], None]

# Each answer comes back as ["ok", repr] or ["failed", reason, detail], in one start of wine.
ASK = """
import json
from attt_agent.host import HostError, LocalHost
host, answers = LocalHost(), []
for source in json.loads({questions!r}):
    try:
        answers.append(["ok", repr(eval(source))])
    except HostError as error:
        answers.append(["failed", error.reason.value, error.detail])
print(json.dumps(answers))
"""


def ask(python: WinePython, *questions: str) -> list[list[str]]:
    answers = json.loads(python.code(ASK.format(questions=json.dumps(questions))))
    assert len(questions) == len(answers)
    return list(answers)


def reason(answer: list[str]) -> str:
    assert "failed" == answer[0], answer
    return answer[1]


def value(answer: list[str]) -> Any:
    assert "ok" == answer[0], answer
    return ast.literal_eval(answer[1])


def test_it_works(python: WinePython) -> None:
    version = python.code("import sys; print(sys.platform, sys.version)")
    assert version.startswith(f"win32 {python.release.python} ")


def test_every_type_of_the_registry_is_read(python: WinePython, seeded: Seed, own_key: str) -> None:
    seeded(
        {
            rf"HKEY_LOCAL_MACHINE\{own_key}": {
                "": ("REG_SZ", "mặc định"),
                "dword": ("REG_DWORD", 4294967295),
                "qword": ("REG_QWORD", 2**40),
                "sz": ("REG_SZ", "Tường lửa"),
                "expand": ("REG_EXPAND_SZ", "%SystemRoot%\\x"),
                "multi": ("REG_MULTI_SZ", ["một", "hai"]),
                "binary": ("REG_BINARY", "01ff00"),
                "none": ("REG_BINARY", ""),
            },
            rf"HKEY_LOCAL_MACHINE\{own_key}\Sub": {},
        }
    )
    key = rf"HKLM\{own_key}"
    sub = rf"{key}\Sub"
    names = ("", "dword", "qword", "sz", "expand", "multi", "binary", "none")
    asked = [f"host.registry_value({key!r}, {name!r})" for name in names]
    read = ask(
        python,
        *asked,
        f"host.registry_names({key!r})",
        f"host.registry_keys({key!r})",
        f"host.registry_keys({sub!r})",
    )
    assert [
        "mặc định",
        4294967295,
        2**40,
        "Tường lửa",
        "%SystemRoot%\\x",
        ("một", "hai"),
        b"\x01\xff\x00",
        b"",
    ] == [value(answer) for answer in read[:8]]
    assert [tuple(sorted(names)), ("Sub",), ()] == [value(answer) for answer in read[8:]]


def test_what_is_not_in_the_registry_is_not_found(
    python: WinePython, seeded: Seed, own_key: str
) -> None:
    seeded({rf"HKEY_LOCAL_MACHINE\{own_key}": {"there": ("REG_DWORD", 0)}})
    key = rf"HKLM\{own_key}"
    there, name, missing, names, keys = ask(
        python,
        f"host.registry_value({key!r}, 'there')",
        f"host.registry_value({key!r}, 'gone')",
        f"host.registry_value({key + 'x'!r}, 'there')",
        f"host.registry_names({key + 'x'!r})",
        f"host.registry_keys({key + 'x'!r})",
    )
    assert 0 == value(there)
    assert ["not_found"] * 4 == [reason(answer) for answer in (name, missing, names, keys)]


def test_services_have_a_state_and_a_start(python: WinePython) -> None:
    (answer,) = ask(python, "{n: (s.state, s.start) for n, s in host.services().items()}")
    services = value(answer)
    assert ("running", "auto") == services["Eventlog"]
    assert "stopped" == services["Spooler"][0]
    assert {state for state, _ in services.values()} <= {"running", "stopped", "other"}
    assert {start for _, start in services.values()} <= {"auto", "disabled", "manual"}


def test_a_service_of_its_own_is_read_by_its_key_name(python: WinePython) -> None:
    name = "attt-test-service"
    command = f"sc create {name} binPath= c:\\x.exe start= disabled DisplayName= Khac"
    made = python.run("-c", f"import os, sys; sys.exit(os.system({command!r}))")
    assert 0 == made.exit_code, made.stdout
    try:
        (answer,) = ask(python, f"(lambda s: (s.state, s.start))(host.services()[{name!r}])")
        assert ("stopped", "disabled") == value(answer)
    finally:
        python.run("-c", f"import os; os.system('sc delete {name}')")


def test_interfaces_and_names_are_read(python: WinePython) -> None:
    addresses, name, processes = ask(
        python,
        "sorted(a for i in host.interfaces() for a in i.addresses)",
        "host.hostname()",
        "sorted(host.process_names())",
    )
    assert "127.0.0.1" in value(addresses)
    assert value(name)
    # Wine lists processes and tells no names of them: then there is no answer, not an empty one.
    assert "access_denied" == reason(processes)


def test_wmi_answers_through_com(python: WinePython) -> None:
    system, adapters, nothing = ask(
        python,
        r"host.wmi('root\\cimv2', 'SELECT Caption, OperatingSystemSKU, LastBootUpTime,"
        r" TotalVisibleMemorySize FROM Win32_OperatingSystem')",
        r"host.wmi('root\\cimv2', 'SELECT * FROM Win32_NetworkAdapterConfiguration')",
        r"host.wmi('root\\cimv2', 'SELECT Name FROM Win32_Service WHERE Name = \"no-such\"')",
    )
    (row,) = value(system)
    assert {"Caption", "OperatingSystemSKU", "LastBootUpTime", "TotalVisibleMemorySize"} == set(row)
    assert row["Caption"].startswith("Microsoft Windows")
    assert row["OperatingSystemSKU"] > 0
    assert row["TotalVisibleMemorySize"] > 0  # a uint64: COM hands it over as text
    assert "20" == row["LastBootUpTime"][:2]
    lists = [row["DNSServerSearchOrder"] for row in value(adapters)]
    assert any(isinstance(told, tuple) or told is None for told in lists)
    assert () == value(nothing)


def test_wmi_that_is_not_there_is_not_supported(python: WinePython) -> None:
    security, nonsense = ask(
        python,
        r"host.wmi('root\\SecurityCenter2', 'SELECT * FROM AntiVirusProduct')",
        r"host.wmi('root\\cimv2', 'SELEC x')",
    )
    assert "not_supported" == reason(security)
    assert "malformed" == reason(nonsense)


def test_wmi_in_several_threads_at_once(python: WinePython) -> None:
    said = python.code(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from attt_agent.host import LocalHost\n"
        "ask = lambda _: LocalHost().wmi('root\\\\cimv2', 'SELECT Name FROM Win32_BIOS')\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    print(len(set(map(repr, pool.map(ask, range(12))))))\n"
    )
    assert "1" == said.strip()


def test_com_values_are_read_whole(python: WinePython) -> None:
    """BSTR with a NUL, arrays of texts, numbers and booleans, through wine's own oleaut32."""
    said = python.code(
        """
import ctypes
from attt_agent.windows import variant as v
from attt_agent.windows.library import function, load
from attt_agent.windows.variant import Variant, value_of

oleaut32, pointer = load("oleaut32"), ctypes.c_void_p
make = function(oleaut32, "SafeArrayCreateVector", pointer, ctypes.c_uint16, ctypes.c_int32,
                ctypes.c_uint32)
put = function(oleaut32, "SafeArrayPutElement", ctypes.c_int32, pointer,
               ctypes.POINTER(ctypes.c_int32), pointer)
text = function(oleaut32, "SysAllocStringLen", pointer, ctypes.c_wchar_p, ctypes.c_uint32)
clear = function(oleaut32, "VariantClear", ctypes.c_int32, ctypes.POINTER(Variant))

def array(kind, elements):
    made = make(kind, 0, len(elements))
    for number, element in enumerate(elements):
        assert put(made, ctypes.byref(ctypes.c_int32(number)), element) == 0
    told = Variant(vt=v.VT_ARRAY | kind)
    told.content.pointer = made
    return told

def shown(told, cim_type):
    try:
        return value_of(oleaut32, told, cim_type, "x")
    finally:
        assert clear(ctypes.byref(told)) == 0

one = Variant(vt=v.VT_BSTR)
one.content.pointer = text("a\\0\\u1ec7", 3)
print(ascii(shown(one, 8)))
number = Variant(vt=v.VT_BSTR)
number.content.pointer = text("18446744073709551615", 20)
print(shown(number, 21))
print(shown(array(v.VT_BSTR, [text("mot", 3), text("", 0)]), 0x2000 | 8))
minus = ctypes.c_int32(-1)
print(shown(array(v.VT_I4, [ctypes.addressof(minus)]), 0x2000 | 19))
yes = ctypes.c_int16(-1)
print(shown(array(v.VT_BOOL, [ctypes.addressof(yes)]), 0x2000 | 11))
print(shown(array(v.VT_BSTR, []), 0x2000 | 8))
"""
    )
    assert [
        r"'a\x00\u1ec7'",
        "18446744073709551615",
        "('mot', '')",
        "(4294967295,)",
        "(True,)",
        "()",
    ] == said.splitlines()


def test_what_wine_does_not_have_is_told_with_a_reason(python: WinePython) -> None:
    policy, accounts, center = ask(
        python, "host.account_policy()", "host.local_accounts()", "host.security_center()"
    )
    # NetUserModalsGet answers 2140 "internal error" here, NetUserEnum refuses level 3.
    assert ("malformed", "2140") == (reason(policy), policy[2].rpartition(" ")[2])
    assert ("not_supported", "124") == (reason(accounts), accounts[2].rpartition(" ")[2])
    assert "not_supported" == reason(center)


def test_the_sid_of_the_machine_is_read(python: WinePython) -> None:
    said = python.code(
        "import ctypes\n"
        "from attt_agent.windows import accounts, sid\n"
        "with accounts._Modals(2) as buffer:\n"
        "    machine = ctypes.cast(buffer, ctypes.POINTER(accounts.UserModals2)).contents\n"
        "    print(sid.sid_text(machine.domain_id))\n"
    )
    assert said.startswith("S-1-5-21-")


def test_a_program_that_says_nothing_is_an_empty_answer_and_nothing_more(
    python: WinePython,
) -> None:
    netsh, missing, absolute = ask(
        python,
        "(lambda r: (r.exit_code, r.stdout))"
        "(host.run(('netsh', 'advfirewall', 'show', 'allprofiles')))",
        "host.run(('no-such-program',))",
        r"host.run(('C:\\no-such.exe',))",
    )
    assert (0, "") == value(netsh)
    assert ["not_found"] * 2 == [reason(missing), reason(absolute)]


def test_a_program_in_the_current_folder_is_not_run(python: WinePython) -> None:
    said = python.code(
        "import os, shutil, sys, tempfile\n"
        "from attt_agent.host import HostError, LocalHost\n"
        "os.chdir(tempfile.mkdtemp())\n"
        "shutil.copy(os.path.join(os.environ['SYSTEMROOT'], 'System32', 'hostname.exe'), 'x.exe')\n"
        "try:\n"
        "    LocalHost().run(('x',))\n"
        "except HostError as error:\n"
        "    print(error.reason.value)\n"
    )
    assert "not_found" == said.strip()


def test_a_program_that_hangs_is_ended(python: WinePython) -> None:
    said = python.code(
        "import time\n"
        "from attt_agent.host import HostError, LocalHost\n"
        "begun = time.monotonic()\n"
        "try:\n"
        "    LocalHost().run(('ping', '-n', '60', '127.0.0.1'), timeout_seconds=1.0)\n"
        "except HostError as error:\n"
        "    print(error.reason.value, time.monotonic() - begun < 20)\n"
    )
    assert "timeout True" == said.strip()
