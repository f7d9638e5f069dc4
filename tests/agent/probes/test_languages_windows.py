"""The same machine in six languages says the same facts: nothing is decided by a word.

The words are what each Windows shows where we know it (English, German and Chinese w32tm, names of
connections, of Defender and of the products); the other labels of w32tm are plain translations.
Every text also goes through the code page of its language, as a program's output does.
"""

from dataclasses import replace

import pytest

from attt_agent.host import CommandResult
from attt_agent.probe import ProbeContext, find_all, run_all
from attt_agent.probes import antivirus_windows, links_windows, time_sync_windows
from attt_agent.probes.antivirus_windows import security_center
from attt_agent.registry_reading import CURRENT_VERSION

PROBES = tuple(probe for probe in find_all() if "windows" in probe.platforms)
ROWS = (security_center.NAMESPACE, security_center.PRODUCTS_QUERY)

# Language: code page, name of Kaspersky, of Defender, of the connection, of the loopback, of the
# edition, and the sixteen labels of w32tm with the words in brackets.
LANGUAGES = {
    "en": (
        "cp1252",
        "Kaspersky Endpoint Security for Windows",
        "Windows Defender",
        "Local Area Connection",
        "Loopback Pseudo-Interface 1",
        "Windows 10 Pro",
        (
            "Leap Indicator",
            "Stratum",
            "Precision",
            "Root Delay",
            "Root Dispersion",
            "ReferenceId",
            "Last Successful Sync Time",
            "Source",
            "Poll Interval",
            "Phase Offset",
            "ClockRate",
            "State Machine",
            "Time Source Flags",
            "Server Role",
            "Last Sync Error",
            "Time since Last Good Sync Time",
        ),
        ("no warning", "secondary reference - syncd by (S)NTP", "11/22/2026 7:12:31 AM"),
    ),
    "vi": (
        "cp1258",
        "Kaspersky Endpoint Security dành cho Windows",
        "Bộ bảo vệ Windows",
        "Kết nối Khu vực Nội bộ",
        "Giao diện giả vòng lặp 1",
        "Windows 10 Pro",
        (
            "Chỉ báo nhảy",
            "Tầng",
            "Độ chính xác",
            "Trễ gốc",
            "Phân tán gốc",
            "ID tham chiếu",
            "Lần đồng bộ thành công gần nhất",
            "Nguồn",
            "Khoảng hỏi",
            "Lệch pha",
            "Nhịp đồng hồ",
            "Máy trạng thái",
            "Cờ nguồn giờ",
            "Vai trò máy chủ",
            "Lỗi đồng bộ gần nhất",
            "Thời gian từ lần đồng bộ tốt gần nhất",
        ),
        ("không cảnh báo", "tham chiếu phụ - đồng bộ qua (S)NTP", "22/11/2026 7:12:31 SA"),
    ),
    "fr": (
        "cp850",
        "Kaspersky Endpoint Security pour Windows",
        "Antivirus Microsoft Defender",
        "Connexion au réseau local",
        "Pseudo-interface de bouclage 1",
        "Windows 10 Professionnel",
        (
            "Indicateur de saut ",
            "Couche ",
            "Précision ",
            "Délai de racine ",
            "Dispersion ",
            "ID de référence ",
            "Heure de la dernière synchronisation réussie ",
            "Source ",
            "Intervalle d'interrogation ",
            "Décalage de phase ",
            "Fréquence d'horloge ",
            "Ordinateur d'état ",
            "Indicateurs de source ",
            "Rôle du serveur ",
            "Dernière erreur de synchronisation ",
            "Temps écoulé depuis la dernière ",
        ),
        ("aucun avertissement", "référence secondaire - (S)NTP", "22/11/2026 07:12:31"),
    ),
    "de": (
        "cp850",
        "Kaspersky Endpoint Security für Windows",
        "Windows-Verteidiger",
        "LAN-Verbindung",
        "Loopback-Pseudoschnittstelle 1",
        "Windows 10 Pro",
        (
            "Sprungindikator",
            "Stratum",
            "Präzision",
            "Stammverzögerung",
            "Stammabweichung",
            "Referenz-ID",
            "Letzte erfolgr. Synchronisierungszeit",
            "Quelle",
            "Abrufintervall",
            "Phasenabweichung",
            "Taktfrequenz",
            "Statuscomputer",
            "Zeitquellenkennzeichen",
            "Serverrolle",
            "Letzter Synchronisierungsfehler",
            "Zeit seit der letzten",
        ),
        ("keine Warnung", "Sekundärreferenz - synchr. über (S)NTP", "22.11.2026 07:12:31"),
    ),
    "zh": (
        "cp936",
        "卡巴斯基 Kaspersky Endpoint Security for Windows",
        "Microsoft Defender 防病毒",
        "本地连接",
        "环回伪接口 1",
        "Windows 10 专业版",
        (
            "Leap 指示符",
            "层次",
            "精度",
            "根延迟",
            "根分散",
            "引用 ID",
            "上次成功同步时间",
            "源",
            "轮询间隔",
            "相位偏移",
            "ClockRate",
            "计算机状态",
            "时间源标志",
            "服务器角色",
            "上次同步错误",
            "上次成功同步时间后的时间",
        ),
        ("无警告", "次引用 - 与(S)NTP 同步", "2026/11/22 7:12:31"),
    ),
    "es": (
        "cp850",
        "Kaspersky Endpoint Security para Windows",
        "Antivirus de Microsoft Defender",
        "Conexión de área local",
        "Pseudo-interfaz de bucle 1",
        "Windows 10 Pro",
        (
            "Indicador de salto",
            "Capa",
            "Precisión",
            "Demora de raíz",
            "Dispersión de raíz",
            "Identificador de referencia",
            "Última sincronización correcta",
            "Origen",
            "Intervalo de sondeo",
            "Desfase",
            "Velocidad de reloj",
            "Equipo de estado",
            "Marcas de origen de hora",
            "Rol de servidor",
            "Último error de sincronización",
            "Tiempo desde la última sincronización correcta",
        ),
        ("sin advertencias", "referencia secundaria - (S)NTP", "22/11/2026 7:12:31 a. m."),
    ),
}
STATUS_VALUES = (
    "0({0})",
    "3 ({1})",
    "-23 (119.209ns)",
    "0.0346800s",
    "0.0540100s",
    "0x0A0A0A05 (10.10.10.5)",
    "{2}",
    "time.tinh.example,0x8",
    "10 (1024s)",
    "0.0123456s",
    "0.0156250s",
    "2 (Sync)",
    "0 ({0})",
    "0 ({0})",
    "0 ({0})",
    "512.1234567s",
)


def spoken(host, language):
    """The machine in another language."""
    code_page, kaspersky, microsoft, connection, loopback, edition, labels, words = language
    renamed = {"Kaspersky Endpoint Security dành cho Windows": kaspersky}
    renamed["Windows Defender"] = microsoft
    rows = [{**row, "displayName": renamed[row["displayName"]]} for row in host.wmi_rows[ROWS]]
    text = "\r\n".join(
        f"{label}: {value.format(*words)}"
        for label, value in zip(labels, STATUS_VALUES, strict=True)
    )
    output = text.encode(code_page, "replace").decode("utf-8", "replace")
    registry = dict(host.registry)
    registry[CURRENT_VERSION] = {**registry[CURRENT_VERSION], "ProductName": edition}
    for key, values in host.registry.items():
        if key.startswith(links_windows.CONNECTIONS) and values:
            registry[key] = {**values, "Name": connection}
    names = {"Ethernet": connection, "Loopback Pseudo-Interface 1": loopback}
    return replace(
        host,
        registry=registry,
        wmi_rows={**host.wmi_rows, ROWS: tuple(rows)},
        network=tuple(replace(i, name=names[i.name]) for i in host.network),
        commands={time_sync_windows.STATUS_COMMAND: CommandResult(0, output, "")},
    )


def facts_of(host, connection):
    """What is said, with the one name that is the language's own replaced."""
    facts = run_all(PROBES, ProbeContext(host, ("10.10.0.10", 443)))
    return {
        (fact.key, "LAN" if fact.item == connection else fact.item): ("LAN",)
        if fact.key == "link.interfaces" and fact.value == (connection,)
        else (fact.value, fact.unreadable)
        for fact in facts
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_machine_says_the_same_in_every_language(machine, language):
    host = machine("windows-10-vi-mien")
    expected = facts_of(spoken(host, LANGUAGES["en"]), LANGUAGES["en"][3])
    assert expected == facts_of(spoken(host, LANGUAGES[language]), LANGUAGES[language][3])
    assert (True, None) == expected[antivirus_windows.ENABLED, "Kaspersky"]
    assert (0.0123456, None) == expected[time_sync_windows.OFFSET, None]
    assert ("LAN",) == expected["link.interfaces", None]


def test_it_works_in_six_languages():
    assert 6 == len(LANGUAGES)
