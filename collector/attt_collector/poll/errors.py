"""Why a device could not be polled, said to whoever typed its address and password."""

from __future__ import annotations

from attt_rules.contract import Text
from attt_rules.errors import AtttError


class PollError(AtttError):
    """The device could not be polled. `device` is "name (address:port)"."""


class NoAnswer(PollError):
    """Silence. SNMP agents do not answer a wrong v2c community, so the cause stays open."""

    def __init__(self, device: str, version: str) -> None:
        last = (
            Text(
                vi="community (sai thì thiết bị im lặng, không báo lỗi)",
                en="the community (a device stays silent when it is wrong)",
            )
            if version == "v2c"
            else Text(
                vi="SNMPv3 đã bật, không chỉ v2c (sai tên hay mật khẩu thì đã có báo lỗi khác)",
                en="that v3 is on and not only v2c (a wrong user or password is told apart)",
            )
        )
        super().__init__(
            "ATTT-401",
            Text(
                vi=f"Thiết bị {device} không trả lời SNMP {version}.",
                en=f"The device {device} does not answer SNMP {version}.",
            ),
            Text(
                vi="kiểm tra lần lượt: địa chỉ và cổng; SNMP đã bật và cho phép địa chỉ của máy "
                f"thu thập; tường lửa trên đường đi (UDP 161); {last.vi}.",
                en="Check in turn: the address and port; that SNMP is on and allows the "
                f"collector's address; firewalls on the way (UDP 161); {last.en}.",
            ),
            permanent=False,
        )


class WrongAuthPassword(PollError):
    def __init__(self, device: str) -> None:
        super().__init__(
            "ATTT-402",
            Text(
                vi=f"Thiết bị {device} từ chối mật khẩu xác thực SNMPv3.",
                en=f"The device {device} refuses the SNMPv3 authentication password.",
            ),
            Text(
                vi="kiểm tra mật khẩu xác thực và thuật toán (SHA-1, SHA-256, …): cả hai phải đúng "
                "như đã đặt trên thiết bị.",
                en="Check the authentication password and the algorithm (SHA-1, SHA-256, …): both "
                "must be as set on the device.",
            ),
        )


class UnknownUser(PollError):
    def __init__(self, device: str, user: str) -> None:
        super().__init__(
            "ATTT-403",
            Text(
                vi=f"Thiết bị {device} không có người dùng SNMPv3 «{user}».",
                en=f'The device {device} knows no SNMPv3 user "{user}".',
            ),
            Text(
                vi="kiểm tra tên (phân biệt chữ hoa, chữ thường) hoặc tạo người dùng trên thiết "
                "bị.",
                en="Check the name (case matters), or make the user on the device.",
            ),
        )


class WrongPrivacyPassword(PollError):
    """It answers unencrypted SNMPv3 discovery and stays silent to what we encrypt."""

    def __init__(self, device: str) -> None:
        super().__init__(
            "ATTT-408",
            Text(
                vi=f"Thiết bị {device} có trả lời SNMPv3 nhưng im lặng với yêu cầu đã mã hóa: "
                "nhiều khả năng mật khẩu mã hóa sai.",
                en=f"The device {device} answers SNMPv3 but is silent to encrypted requests: most "
                "likely the privacy password is wrong.",
            ),
            Text(
                vi="kiểm tra mật khẩu mã hóa và thuật toán (AES-128, AES-256, AES-256-C).",
                en="Check the privacy password and the algorithm (AES-128, AES-256, AES-256-C).",
            ),
        )


class BadAddress(PollError):
    def __init__(self, device: str) -> None:
        super().__init__(
            "ATTT-409",
            Text(
                vi=f"Không tìm được địa chỉ của thiết bị {device}.",
                en=f"The address of the device {device} cannot be found.",
            ),
            Text(
                vi="ghi địa chỉ IP, hoặc kiểm tra tên miền và DNS của máy thu thập.",
                en="Give the IP address, or check the name and the collector's DNS.",
            ),
        )


class NotAllowed(PollError):
    """It answers, and says that these credentials may not read."""

    def __init__(self, device: str, reason: str) -> None:
        super().__init__(
            "ATTT-410",
            Text(
                vi=f"Thiết bị {device} trả lời nhưng không cho đọc: {reason}.",
                en=f"The device {device} answers but allows no reading: {reason}.",
            ),
            Text(
                vi="cho người dùng hoặc community này quyền chỉ đọc ở nhóm system và interfaces "
                "(1.3.6.1.2.1); nếu thiết bị bắt mã hóa, khai báo mật khẩu mã hóa.",
                en="Give this user or community read-only access to system and interfaces "
                "(1.3.6.1.2.1); if the device demands encryption, give the privacy password.",
            ),
        )


class TwoDevicesOrOne(PollError):
    """The engine ID says it is the asset `known_as`, the name says it is not."""

    def __init__(self, device: str, known_as: str) -> None:
        super().__init__(
            "ATTT-412",
            Text(
                vi=f"Thiết bị {device} có cùng mã động cơ SNMP (engine ID) với «{known_as}» đã có.",
                en=f'The device {device} has the SNMP engine ID of "{known_as}", known already.',
            ),
            Text(
                vi="kiểm tra địa chỉ trước; nếu vẫn là thiết bị cũ vừa đổi tên, thêm "
                "«--same-device»; nếu là thiết bị khác chép chung cấu hình, thêm «--other-device» "
                "(và nên đặt lại engine ID).",
                en="Check the address first; if it is the same device under a new name, add "
                "--same-device; if it is another one with a copied configuration, add "
                "--other-device (and better set its own engine ID).",
            ),
        )
