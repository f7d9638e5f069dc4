"""What can go wrong with the store, said to whoever runs the collector."""

from __future__ import annotations

from datetime import datetime

from attt_collector.records import VIETNAM_TIME
from attt_rules.contract import Text
from attt_rules.errors import AtttError


class StoreBusy(AtttError):
    """The writer's queue is full; the sender keeps what it has and comes again."""

    def __init__(self, queued: int) -> None:
        super().__init__(
            "ATTT-501",
            Text(
                vi=f"Kho dữ liệu đang bận: {queued} lượt ghi đang chờ.",
                en=f"The store is busy: {queued} writes are waiting.",
            ),
            Text(
                vi="không cần làm gì; máy gửi sẽ tự gửi lại sau ít phút.",
                en="Nothing to do; the sender tries again in a few minutes.",
            ),
            permanent=False,
        )


class StoreFailed(AtttError):
    """The commit did not succeed: nothing of the batch is stored."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "ATTT-502",
            Text(
                vi=f"Không ghi được vào kho dữ liệu: {reason}.",
                en=f"The store could not be written: {reason}.",
            ),
            Text(
                vi="kiểm tra dung lượng trống và quyền ghi của ổ đĩa chứa kho dữ liệu.",
                en="Check free space and write permission on the disk that holds the store.",
            ),
            permanent=False,
        )


class StoreClosed(AtttError):
    """Something was to be written after the store was closed: the service is stopping."""

    def __init__(self) -> None:
        super().__init__(
            "ATTT-507",
            Text(vi="Dịch vụ đang dừng.", en="The service is stopping."),
            Text(vi="gửi lại sau khi dịch vụ chạy lại.", en="Send again once it is back."),
            permanent=False,
        )


def database_exists(name: str) -> AtttError:
    return AtttError(
        "ATTT-503",
        Text(
            vi=f"Đã có kho dữ liệu tại {name}; không ghi đè.",
            en=f"There is a store at {name} already; it is not overwritten.",
        ),
        Text(
            vi="chọn thư mục khác bằng «--data», hoặc tự tay chuyển thư mục cũ đi.",
            en="Choose another folder with --data, or move the old one away yourself.",
        ),
    )


def database_not_opened(name: str, reason: str) -> AtttError:
    return AtttError(
        "ATTT-508",
        Text(
            vi=f"Chưa mở được kho dữ liệu {name}: {reason}. Thường là ổ đĩa đầy hoặc thiếu "
            "quyền, không phải dữ liệu hỏng.",
            en=f"The store {name} cannot be opened now: {reason}. Usually the disk is full or a "
            "permission is missing; the data is not damaged.",
        ),
        Text(
            vi="kiểm tra dung lượng trống của ổ đĩa và quyền đọc, ghi thư mục; đừng khôi phục bản "
            "sao lưu cũ.",
            en="Check free space on the disk and permission to read and write the folder; do not "
            "restore an old backup.",
        ),
        permanent=False,
    )


def database_missing(name: str) -> AtttError:
    return AtttError(
        "ATTT-504",
        Text(vi=f"Không có kho dữ liệu tại {name}.", en=f"There is no store at {name}."),
        Text(
            vi="chạy «attt-collector --data THƯ_MỤC init», hoặc kiểm tra lại «--data».",
            en='Run "attt-collector --data FOLDER init", or check --data.',
        ),
    )


def database_unknown(name: str) -> AtttError:
    return AtttError(
        "ATTT-505",
        Text(
            vi=f"{name} không phải là kho dữ liệu của attt hoặc đã hỏng.",
            en=f"{name} is not a store of attt, or it is damaged.",
        ),
        Text(
            vi="kiểm tra lại đường dẫn; nếu tệp hỏng, khôi phục từ bản sao lưu.",
            en="Check the path; if the file is damaged, restore it from the backup.",
        ),
    )


def database_outdated(name: str, found: str, wanted: str) -> AtttError:
    return AtttError(
        "ATTT-506",
        Text(
            vi=f"Kho dữ liệu {name} ở phiên bản {found}, chương trình cần {wanted}.",
            en=f"The store {name} is of version {found}, the program needs {wanted}.",
        ),
        Text(
            vi="sao lưu kho rồi chạy «attt-collector serve» của bản mới: dịch vụ tự nâng cấp kho.",
            en='Back the store up and start "attt-collector serve" of the new version: '
            "it upgrades the store.",
        ),
    )


def asset_retired(name: str, at: datetime) -> AtttError:
    """What a retired device sends is neither kept nor does it enrol the device again."""
    day = at.astimezone(VIETNAM_TIME)
    return AtttError(
        "ATTT-205",
        Text(
            vi=f"Máy {name} đã được đưa ra khỏi danh sách ngày {day:%d/%m/%Y}.",
            en=f"{name} was retired on {day:%Y-%m-%d}.",
        ),
        Text(
            vi="nếu còn dùng: máy có attt thì xóa tệp device.key trong thư mục attt của máy rồi "
            "ghi danh lại bằng mã mới; thiết bị đọc qua SNMP thì đọc lại dưới tên khác, kèm "
            "--other-device.",
            en="If it is still in use: on a machine with attt, delete device.key in attt's folder "
            "and enrol it with a new code; read an SNMP device under another name, with "
            "--other-device.",
        ),
    )
