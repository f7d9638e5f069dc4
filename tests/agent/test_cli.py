"""The command `attt`, as a person or a timer calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.agent.conftest import Answer, Authority, Request, TlsServer
from tests.agent.test_delivery import Collector as Receiver
from tests.agent.test_enrolment import Collector as Enroller

from attt_agent import messages, settings
from attt_agent.cli import main
from attt_agent.settings import Settings, StateFolder
from attt_agent.sign import DeviceKey
from attt_rules import __version__
from attt_rules.contract import AssetKind

Serve = Callable[[Path, Callable[[Request], Answer]], TlsServer]
OLD_DEBIAN = b'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="9"\nVERSION="9 (stretch)"\n'


@pytest.fixture
def attt(
    state: StateFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    monkeypatch.setenv("ATTT_STATE", str(state.path))
    monkeypatch.delenv("ATTT_LANG", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stopped:
            main([str(argument) for argument in arguments])
        code = stopped.value.code
        said = capsys.readouterr()
        return (0 if code is None else int(code)), said.out, said.err

    return call


Attt = Callable[..., tuple[int, str, str]]


@pytest.fixture
def old_machine(tmp_path: Path) -> Path:
    folder = tmp_path / "may-cu"
    (folder / "files/etc").mkdir(parents=True)
    (folder / "files/etc/os-release").write_bytes(OLD_DEBIAN)
    (folder / "files/proc/sys/kernel").mkdir(parents=True)
    (folder / "files/proc/sys/kernel/ostype").write_text("Linux\n")
    host = {"format": 1, "hostname": "PC-0417", "now": "2026-11-22T01:00:00+00:00"}
    (folder / "host.json").write_text(json.dumps(host))
    return folder


def test_it_works(attt: Attt) -> None:
    assert attt("--version") == (0, f"attt, version {__version__}\n", "")


def test_facts_shows_key_value_and_source(attt: Attt, old_machine: Path) -> None:
    code, out, _ = attt("facts", "--recorded", old_machine)
    assert code == 0
    assert "os.name = Debian GNU/Linux    ← /etc/os-release NAME\n" in out
    assert "link.interfaces = chưa đọc được: không tìm thấy    ← " in out


def test_facts_as_json_are_the_facts_of_the_wire(attt: Attt, old_machine: Path) -> None:
    code, out, _ = attt("facts", "--json", "--recorded", old_machine, "--probe", "asset")
    assert code == 0
    facts = {fact["key"]: fact for fact in json.loads(out)}
    assert facts["os.name"]["value"] == "Debian GNU/Linux"
    assert facts["os.name"]["read_at"] == "2026-11-22T01:00:00+00:00"
    assert not [key for key in facts if key.startswith("link.")]


def test_an_unknown_probe_is_answered_with_the_known_ones(attt: Attt) -> None:
    code, _, err = attt("facts", "--probe", "asset", "--probe", "toaster")
    assert code == 4
    assert "ATTT-330" in err
    assert "toaster" in err
    assert "password_policy" in err


def test_facts_of_this_machine(attt: Attt) -> None:
    code, out, _ = attt("--lang", "en", "facts", "--probe", "asset")
    assert code == 0
    assert "os.family = linux" in out


def test_check_fails_with_evidence_clause_and_fix(attt: Attt, old_machine: Path) -> None:
    code, out, _ = attt("check", "--recorded", old_machine)
    assert code == 1
    head, *blocks = out.split("\n\n")
    assert head.startswith("Máy PC-0417 (máy chủ), bộ quy tắc vn_l2_2026, ")
    (block,) = [b for b in blocks if "L2-SWA-08" in b]
    lines = block.splitlines()
    assert lines[0].startswith("[KHÔNG ĐẠT] L2-SWA-08  ")
    assert "    Căn cứ: TCVN 14423:2026 " in block
    assert "os.end_of_support_at = 20" in block
    assert "←" in block
    assert lines[-1].startswith("    Cách xử lý: ")
    assert "không đạt" in blocks[-1]


def test_check_speaks_english(attt: Attt, old_machine: Path) -> None:
    code, out, _ = attt("--lang", "en", "check", "--recorded", old_machine)
    assert code == 1
    assert "[FAIL] L2-SWA-08" in out
    assert "    Fix: " in out
    assert "[UNKNOWN]" in out


def test_check_as_json_says_the_same(attt: Attt, old_machine: Path) -> None:
    code, out, _ = attt("check", "--json", "--kind", "pc", "--recorded", old_machine)
    assert code == 1
    document = json.loads(out)
    assert document["asset"] == {"name": "PC-0417", "kind": "pc"}
    finding = {f["code"]: f for f in document["findings"]}["L2-SWA-08"]
    assert finding["status"] == "fail"
    assert "os.end_of_support_at" in {fact["key"] for fact in finding["evidence"]}
    assert sum(document["summary"].values()) == len(document["findings"])


def test_check_of_a_machine_that_says_nothing_is_unknown_and_never_pass(
    attt: Attt, tmp_path: Path
) -> None:
    (tmp_path / "trong").mkdir()
    code, out, _ = attt("check", "--json", "--kind", "pc", "--recorded", tmp_path / "trong")
    assert code == 2
    statuses = {finding["status"] for finding in json.loads(out)["findings"]}
    assert statuses == {"unknown"}


def test_check_asks_for_the_kind_that_cannot_be_read(attt: Attt, tmp_path: Path) -> None:
    (tmp_path / "trong").mkdir()
    code, out, err = attt("check", "--recorded", tmp_path / "trong")
    assert (code, out) == (4, "")
    assert "ATTT-312" in err
    assert "--kind pc" in err


def test_check_takes_the_pack_of_the_recording_s_date(attt: Attt, old_machine: Path) -> None:
    host = {"format": 1, "now": "2025-06-01T00:00:00+00:00"}
    (old_machine / "host.json").write_text(json.dumps(host))
    assert json.loads(attt("check", "--json", "--recorded", old_machine)[1])["pack"] == "vn_l2_2017"


def test_check_names_the_packs_there_are(attt: Attt, old_machine: Path) -> None:
    code, _, err = attt("check", "--recorded", old_machine, "--pack", "vn_l9")
    assert (code, "vn_l2_2026" in err) == (4, True)


def test_a_broken_recording_is_named(attt: Attt, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{")
    code, _, err = attt("check", "--recorded", tmp_path)
    assert code == 4
    assert "ATTT-304" in err
    assert "host.json" in err


def test_a_wrong_setting_is_named_in_the_language_asked_for(attt: Attt, state: StateFolder) -> None:
    state.settings.write_text("[attt]\nkind = toaster\n")
    code, _, err = attt("--lang", "en", "check")
    assert code == 4
    assert err.startswith("ATTT-300  A wrong setting in ")
    assert "What to do: " in err
    code, _, err = attt("check")
    assert err.startswith("ATTT-300  Thiết lập sai trong ")


@pytest.mark.parametrize("arguments", [["toast"], ["run", "--fast"], ["check", "--wan", "here"]])
def test_a_command_that_is_not_understood_is_no_verdict(attt: Attt, arguments: list[str]) -> None:
    code, _, err = attt(*arguments)
    assert code == 64
    assert "attt" in err


def test_enrol_then_run(
    attt: Attt,
    serve: Serve,
    server_certificate: Path,
    authority: Authority,
    state: StateFolder,
) -> None:
    enroller, receiver = Enroller(authority.pem), Receiver()

    def collector(request: Request) -> Answer:
        if request.path == "/api/v1/snapshots":
            return receiver(request)
        return enroller(request)

    server = serve(server_certificate, collector)
    code, out, err = attt(
        "enrol",
        "--server",
        server.url,
        "--code",
        "XA-1234",
        "--ca-sha256",
        authority.sha256,
        "--kind",
        "pc",
        "--name",
        "PC-0417",
    )
    assert code == 0
    assert "PC-0417 (máy trạm)" in out
    assert "UBND xã Phú Tân (87.30133)" in out
    assert DeviceKey.load(state.key).device_id in out
    code, out, err = attt("run")
    assert code == 0
    assert out == f"Đã gửi 1 bản chụp tới {server.url}.\n"
    assert len(receiver.received) == 1
    # The test's collector lives in its own November; a wrong clock is said and does no harm.
    assert ("NTP" in err) == (abs(_seconds_since_test_clock()) > 300)


def _seconds_since_test_clock() -> float:
    from datetime import UTC, datetime

    from tests.agent.test_delivery import AT

    return (datetime.now(UTC) - AT).total_seconds()


def test_enrol_wants_one_way_to_know_the_ca(attt: Attt) -> None:
    code, _, err = attt("enrol", "--server", "https://x", "--code", "y")
    assert (code, "--ca-sha256" in err) == (64, True)


def test_run_says_clearly_that_it_kept_the_snapshot(
    attt: Attt, state: StateFolder, authority: Authority
) -> None:
    DeviceKey.create(state.key)
    state.ca.write_bytes(authority.pem)
    settings.save(state, Settings(server="https://127.0.0.1:1"))
    code, out, err = attt("run")
    assert (code, out) == (3, "")
    assert "ATTT-270" in err
    assert f"Chưa gửi được: 1 bản chụp đang giữ trong {state.spool}" in err


def test_run_without_a_new_snapshot_ends_with_an_error_after_sending(
    attt: Attt,
    serve: Serve,
    server_certificate: Path,
    authority: Authority,
    state: StateFolder,
) -> None:
    receiver = Receiver()
    server = serve(server_certificate, receiver)
    DeviceKey.create(state.key)
    state.ca.write_bytes(authority.pem)
    settings.save(state, Settings(server="https://127.0.0.1:1", kind=AssetKind.PC))
    assert attt("run")[0] == 3
    settings.save(state, Settings(server=server.url, kind=AssetKind.PC))
    (state.spool / ".x.tmp").mkdir()  # in the way of the next file
    code, out, err = attt("run")
    assert (code, len(receiver.received)) == (4, 1)
    assert out.startswith("Đã gửi 1 bản chụp")
    assert "ATTT-323" in err
    settings.save(state, Settings(server="https://127.0.0.1:1", kind=AssetKind.PC))
    (state.spool / ".x.tmp").rmdir()
    assert attt("run")[0] == 3
    (state.spool / ".x.tmp").mkdir()
    code, _, err = attt("run")  # neither kept nor sent
    assert code == 4
    assert "ATTT-323" in err
    assert "ATTT-270" in err


def test_run_before_enrolment_says_what_to_do(attt: Attt) -> None:
    code, _, err = attt("run")
    assert code == 4
    assert "ATTT-301" in err
    assert "attt enrol" in err


def test_record_writes_a_machine_that_check_can_judge(attt: Attt, tmp_path: Path) -> None:
    code, out, _ = attt("record", tmp_path / "may")
    assert (code, str(tmp_path / "may") in out) == (0, True)
    code, out, _ = attt("check", "--json", "--recorded", tmp_path / "may")
    assert code in (0, 1, 2)
    assert json.loads(out)["asset"]["name"] == "may-1"


def test_the_timer_s_run_loads_nothing_heavy(state: StateFolder, authority: Authority) -> None:
    DeviceKey.create(state.key)
    state.ca.write_bytes(authority.pem)
    settings.save(state, Settings(server="https://127.0.0.1:1"))
    code = (
        "import atexit, sys\n"
        "sys.argv = ['attt', 'run']\n"
        "heavy = ('asyncio', 'click', 'pydantic', 'yaml', 'sqlite3', 'attt_rules.engine')\n"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]))\n"
        "from attt_agent.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"ATTT_STATE": str(state.path), "PYTHONPATH": ":".join(sys.path), "ATTT_LANG": "en"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n"
    assert done.returncode == 3
    assert "Not sent: 1. " in done.stderr


def test_both_languages_have_the_same_messages_and_are_real_yaml() -> None:
    import string

    read = {}
    for language in messages.LANGUAGES:
        text = (messages.FOLDER / f"{language}.yaml").read_text("utf-8")
        assert messages.parse(text) == yaml.safe_load(text)
        read[language] = messages.parse(text)
    assert read["vi"].keys() == read["en"].keys()
    for key, vi in read["vi"].items():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(said) if name}
            for said in (vi, read["en"][key])
        ]
        assert names[0] == names[1], key


@pytest.mark.parametrize("line", ["no colon", 'a: "x"\na: "y"', "a: 3", "a: unquoted"])
def test_a_message_file_of_another_form_is_refused(line: str) -> None:
    with pytest.raises(ValueError):
        messages.parse(line)
