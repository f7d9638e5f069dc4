"""Names the marker of this folder's slow test."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "nspawn: boots a Debian machine; needs root and its tools")
