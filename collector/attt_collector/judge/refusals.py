"""Why a snapshot or an enrolment is refused: each reason has its own code and its own remedy."""

from __future__ import annotations

from attt_rules.contract import MAX_BODY_BYTES, Text
from attt_rules.errors import AtttError

_SEND_AGAIN = Text(
    vi="chạy lại «attt run» trên máy đó; nếu lặp lại, cập nhật phần mềm attt của máy.",
    en='Run "attt run" on that machine again; if it comes back, update attt there.',
)
_CHECK_FILE = Text(
    vi="gửi lại đúng tệp do «attt» tạo ra, không sửa và không chép dở dang.",
    en="Send the file that attt made, unchanged and copied to its end.",
)


class Refused(AtttError):
    """Something a device sent was not taken in; nothing of it is stored."""


def not_gzip() -> Refused:
    return Refused(
        "ATTT-210",
        Text(
            vi="Nội dung gửi đến không phải là dữ liệu nén gzip.",
            en="What was sent is not gzip data.",
        ),
        _CHECK_FILE,
    )


def too_large() -> Refused:
    limit = MAX_BODY_BYTES // 1024
    return Refused(
        "ATTT-211",
        Text(
            vi=f"Bản chụp lớn hơn mức cho phép ({limit} KiB sau khi giải nén).",
            en=f"The snapshot is larger than allowed ({limit} KiB after decompression).",
        ),
        _SEND_AGAIN,
    )


def truncated() -> Refused:
    return Refused(
        "ATTT-212",
        Text(
            vi="Bản chụp bị cắt cụt: thiếu phần cuối.",
            en="The snapshot is cut short: its end is missing.",
        ),
        _CHECK_FILE,
    )


def not_an_envelope() -> Refused:
    return Refused(
        "ATTT-213",
        Text(
            vi="Nội dung gửi đến không phải là bản chụp của attt.",
            en="What was sent is not a snapshot of attt.",
        ),
        _CHECK_FILE,
    )


def unsigned() -> Refused:
    return Refused(
        "ATTT-214",
        Text(
            vi="Bản chụp không có chữ ký của máy gửi.",
            en="The snapshot carries no signature of its device.",
        ),
        _CHECK_FILE,
    )


def unknown_device(device_id: str) -> Refused:
    # Not permanent: the device may be enrolled, or its record restored from a backup, tomorrow.
    return Refused(
        "ATTT-215",
        Text(
            vi=f"Máy có định danh {device_id[:64]} chưa ghi danh tại đây.",
            en=f"The device {device_id[:64]} is not enrolled here.",
        ),
        Text(
            vi="xin mã ghi danh của đơn vị rồi chạy «attt enrol» trên máy đó.",
            en='Ask for an enrolment code of the unit and run "attt enrol" on that machine.',
        ),
        permanent=False,
    )


def bad_signature(name: str) -> Refused:
    return Refused(
        "ATTT-216",
        Text(
            vi=f"Chữ ký không đúng với khóa mà máy {name} đã ghi danh.",
            en=f"The signature does not fit the key that {name} enrolled with.",
        ),
        Text(
            vi="nội dung đã bị sửa trên đường đi, hoặc khóa của máy đã thay: ghi danh lại máy.",
            en="The content was changed on its way, or the device has another key: enrol it again.",
        ),
    )


def contract_broken(name: str, place: str, reason: str, count: int) -> Refused:
    """place: the first thing that is wrong. reason: the validator's words. count: of all errors."""
    return Refused(
        "ATTT-217",
        Text(
            vi=f"Bản chụp của máy {name} không đúng quy ước tại «{place}» (cả thảy {count} lỗi): "
            f"{reason}.",
            en=f'The snapshot of {name} breaks the contract at "{place}" ({count} errors in all): '
            f"{reason}.",
        ),
        Text(
            vi="cập nhật phần mềm attt trên máy cho cùng phiên bản với máy thu thập.",
            en="Update attt on that machine to the version of the collector.",
        ),
    )


def simulated_mixed(name: str, *, snapshot_is_simulated: bool) -> Refused:
    if snapshot_is_simulated:
        message = Text(
            vi=f"Bản chụp của {name} là dữ liệu mô phỏng, kho này chỉ nhận dữ liệu thật.",
            en=f"The snapshot of {name} is simulated; this collector takes real data only.",
        )
    else:
        message = Text(
            vi=f"Bản chụp của {name} là dữ liệu thật, kho này chỉ nhận dữ liệu mô phỏng.",
            en=f"The snapshot of {name} is real; this collector takes simulated data only.",
        )
    return Refused(
        "ATTT-218",
        message,
        Text(
            vi="gửi đến đúng máy thu thập: dữ liệu thật và mô phỏng không bao giờ trộn lẫn.",
            en="Send it to the right collector: real and simulated data are never mixed.",
        ),
    )


def other_device(name: str, claimed: str) -> Refused:
    return Refused(
        "ATTT-219",
        Text(
            vi=f"Máy {name} gửi bản chụp mang định danh của máy khác ({claimed}).",
            en=f"{name} sent a snapshot that names another device ({claimed}).",
        ),
        _SEND_AGAIN,
    )


def encoding_unknown(encoding: str) -> Refused:
    return Refused(
        "ATTT-221",
        Text(
            vi=f"Không nhận kiểu mã hóa nội dung «{encoding[:64]}», chỉ nhận gzip.",
            en=f'The content encoding "{encoding[:64]}" is not taken, only gzip.',
        ),
        _SEND_AGAIN,
    )


def too_slow() -> Refused:
    return Refused(
        "ATTT-222",
        Text(
            vi="Đường truyền quá chậm hoặc bị ngắt: chưa nhận đủ nội dung.",
            en="The line is too slow or was cut: the content did not arrive whole.",
        ),
        Text(vi="gửi lại khi mạng ổn định.", en="Send again when the network is stable."),
        permanent=False,
    )


def request_malformed(place: str, reason: str) -> Refused:
    return Refused(
        "ATTT-206",
        Text(
            vi=f"Yêu cầu ghi danh không đúng quy ước tại «{place}»: {reason}.",
            en=f'The enrolment request breaks the contract at "{place}": {reason}.',
        ),
        Text(
            vi="cập nhật phần mềm attt trên máy rồi chạy lại «attt enrol».",
            en='Update attt on that machine, then run "attt enrol" again.',
        ),
    )


def request_signature_wrong(name: str) -> Refused:
    return Refused(
        "ATTT-207",
        Text(
            vi=f"Yêu cầu ghi danh của {name} không được ký bằng chính khóa của máy đó.",
            en=f"The enrolment request of {name} is not signed with that device's own key.",
        ),
        Text(
            vi="chạy lại «attt enrol» trên chính máy cần ghi danh.",
            en='Run "attt enrol" again on the very machine that is to be enrolled.',
        ),
    )


def request_simulated_mixed(name: str, *, request_is_simulated: bool) -> Refused:
    there = (
        Text(vi="mô phỏng", en="simulated") if request_is_simulated else Text(vi="thật", en="real")
    )
    return Refused(
        "ATTT-208",
        Text(
            vi=f"Không ghi danh được {name}: máy gửi dữ liệu {there.vi}, máy thu thập thì không.",
            en=f"{name} cannot enrol: it sends {there.en} data and this collector does not.",
        ),
        Text(
            vi="ghi danh với đúng máy thu thập: dữ liệu thật và mô phỏng không bao giờ trộn lẫn.",
            en="Enrol with the right collector: real and simulated data are never mixed.",
        ),
    )
