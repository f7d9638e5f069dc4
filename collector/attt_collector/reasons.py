"""Why the operating system refused, in both languages."""

from __future__ import annotations

import errno

from attt_rules.contract import Text

_REASONS = {
    errno.ENOENT: Text(vi="không có tệp hoặc thư mục này", en="no such file or folder"),
    errno.EACCES: Text(vi="không có quyền", en="permission denied"),
    errno.EPERM: Text(vi="không có quyền", en="permission denied"),
    errno.EISDIR: Text(vi="đây là thư mục, không phải tệp", en="this is a folder, not a file"),
    errno.ENOTDIR: Text(
        vi="đường dẫn đi qua một tệp, không phải thư mục",
        en="the path leads through a file, not a folder",
    ),
    errno.EEXIST: Text(vi="đã có tệp hoặc thư mục mang tên này", en="this name exists already"),
    errno.ENOSPC: Text(vi="ổ đĩa đã đầy", en="the disk is full"),
    errno.EDQUOT: Text(vi="đã hết hạn mức dung lượng", en="the disk quota is used up"),
    errno.EROFS: Text(vi="ổ đĩa chỉ cho đọc", en="the disk is read-only"),
    errno.ENAMETOOLONG: Text(vi="tên quá dài", en="the name is too long"),
}


def os_reason(error: OSError) -> Text:
    """The reason without a full stop; what has no words here is told as the system says it."""
    if error.errno in _REASONS:
        return _REASONS[error.errno]
    said = error.strerror or str(error) or type(error).__name__
    return Text(vi=said, en=said)
