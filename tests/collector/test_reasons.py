"""Why the operating system refused, said in Vietnamese."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from attt_collector.reasons import os_reason


def test_it_works(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        (tmp_path / "nothing").read_bytes()
    reason = os_reason(caught.value)
    assert ("không có tệp hoặc thư mục này", "no such file or folder") == (reason.vi, reason.en)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "không có quyền"),
        (errno.EPERM, "không có quyền"),
        (errno.EISDIR, "đây là thư mục, không phải tệp"),
        (errno.ENOSPC, "ổ đĩa đã đầy"),
        (errno.EROFS, "ổ đĩa chỉ cho đọc"),
    ],
)
def test_common_reasons_are_said_in_vietnamese(number: int, said: str) -> None:
    assert said == os_reason(OSError(number, os.strerror(number))).vi


def test_a_rare_reason_is_told_as_the_system_says_it() -> None:
    assert (
        os.strerror(errno.EMLINK) == os_reason(OSError(errno.EMLINK, os.strerror(errno.EMLINK))).vi
    )


@pytest.mark.parametrize(
    ("error", "said"), [(OSError("odd"), "odd"), (TimeoutError(), "TimeoutError")]
)
def test_a_reason_is_never_empty(error: OSError, said: str) -> None:
    assert said == os_reason(error).vi
