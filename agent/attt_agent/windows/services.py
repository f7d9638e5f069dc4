"""Windows services and drivers, through the service control manager (advapi32).

Source: EnumServicesStatusExW for the states, QueryServiceConfigW for the start types.
Run under wine with a 64-bit Python 3.8 and 3.11. Not run: a real Windows, a 32-bit Python.
"""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Mapping

from attt_agent.answers import HostError, Service
from attt_agent.windows.library import (
    ERROR_MORE_DATA,
    error_of,
    function,
    last_error,
    last_error_code,
    load,
)
from attt_rules.contract import Unreadable

_SC_MANAGER_CONNECT_AND_ENUMERATE = 0x0001 | 0x0004
_SERVICE_QUERY_CONFIG = 0x0001
_SERVICE_DRIVER_AND_WIN32 = 0x0B | 0x30
_SERVICE_STATE_ALL = 0x03
_SC_ENUM_PROCESS_INFO = 0
_BUFFER_BYTES = 256 * 1024  # the most the manager fills in one call

_STATES = {1: "stopped", 4: "running"}
_STARTS = {0: "boot", 1: "system", 2: "auto", 3: "manual", 4: "disabled"}


class ServiceStatusProcess(ctypes.Structure):
    """SERVICE_STATUS_PROCESS (winsvc.h)."""

    _fields_ = [
        ("service_type", ctypes.c_uint32),
        ("current_state", ctypes.c_uint32),
        ("controls_accepted", ctypes.c_uint32),
        ("win32_exit_code", ctypes.c_uint32),
        ("service_specific_exit_code", ctypes.c_uint32),
        ("check_point", ctypes.c_uint32),
        ("wait_hint", ctypes.c_uint32),
        ("process_id", ctypes.c_uint32),
        ("service_flags", ctypes.c_uint32),
    ]


class EnumServiceStatusProcess(ctypes.Structure):
    """ENUM_SERVICE_STATUS_PROCESSW (winsvc.h); the texts lie in the same buffer."""

    _fields_ = [
        ("service_name", ctypes.c_wchar_p),
        ("display_name", ctypes.c_wchar_p),
        ("status", ServiceStatusProcess),
    ]


class QueryServiceConfig(ctypes.Structure):
    """QUERY_SERVICE_CONFIGW (winsvc.h)."""

    _fields_ = [
        ("service_type", ctypes.c_uint32),
        ("start_type", ctypes.c_uint32),
        ("error_control", ctypes.c_uint32),
        ("binary_path_name", ctypes.c_wchar_p),
        ("load_order_group", ctypes.c_wchar_p),
        ("tag_id", ctypes.c_uint32),
        ("dependencies", ctypes.c_wchar_p),
        ("service_start_name", ctypes.c_wchar_p),
        ("display_name", ctypes.c_wchar_p),
    ]


def all_services() -> Mapping[str, Service]:
    """Every service and driver by its key name."""
    advapi32 = load("advapi32")
    handle, text, number = ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32
    open_manager = function(advapi32, "OpenSCManagerW", handle, text, text, number)
    close = function(advapi32, "CloseServiceHandle", ctypes.c_int32, handle)
    manager = open_manager(None, None, _SC_MANAGER_CONNECT_AND_ENUMERATE)
    if not manager:
        raise last_error("OpenSCManager")
    try:
        states = _states(advapi32, manager)
        found: Dict[str, Service] = {}
        for name, state in states.items():
            found[name] = Service(state, _start(advapi32, manager, close, name))
        return found
    finally:
        close(manager)


def _states(advapi32: Any, manager: int) -> Dict[str, str]:
    number, handle = ctypes.c_uint32, ctypes.c_void_p
    enumerate_services = function(
        advapi32,
        "EnumServicesStatusExW",
        ctypes.c_int32,
        handle,
        ctypes.c_int32,
        number,
        number,
        handle,
        number,
        ctypes.POINTER(number),
        ctypes.POINTER(number),
        ctypes.POINTER(number),
        ctypes.c_wchar_p,
    )
    buffer = ctypes.create_string_buffer(_BUFFER_BYTES)
    needed, count, resume = number(0), number(0), number(0)
    states: Dict[str, str] = {}
    while True:
        done = enumerate_services(
            manager,
            _SC_ENUM_PROCESS_INFO,
            _SERVICE_DRIVER_AND_WIN32,
            _SERVICE_STATE_ALL,
            buffer,
            _BUFFER_BYTES,
            ctypes.byref(needed),
            ctypes.byref(count),
            ctypes.byref(resume),
            None,
        )
        code = 0 if done else last_error_code()
        if code not in (0, ERROR_MORE_DATA):
            raise error_of(code, "EnumServicesStatusEx")
        entries = ctypes.cast(buffer, ctypes.POINTER(EnumServiceStatusProcess))
        for position in range(count.value):
            entry = entries[position]
            states[entry.service_name] = _STATES.get(entry.status.current_state, "other")
        if done:
            return states
        if count.value == 0:
            raise HostError(Unreadable.MALFORMED, "EnumServicesStatusEx: no progress")


def _start(advapi32: Any, manager: int, close: Any, name: str) -> str:
    """The start type; "other" when this service does not let us look."""
    number, handle = ctypes.c_uint32, ctypes.c_void_p
    open_service = function(advapi32, "OpenServiceW", handle, handle, ctypes.c_wchar_p, number)
    query = function(
        advapi32,
        "QueryServiceConfigW",
        ctypes.c_int32,
        handle,
        handle,
        number,
        ctypes.POINTER(number),
    )
    service = open_service(manager, name, _SERVICE_QUERY_CONFIG)
    if not service:
        return "other"
    try:
        size, needed = 8192, number(0)  # QueryServiceConfig never needs more than 8 KiB
        buffer = ctypes.create_string_buffer(size)
        if not query(service, buffer, size, ctypes.byref(needed)):
            return "other"
        config = ctypes.cast(buffer, ctypes.POINTER(QueryServiceConfig)).contents
        return _STARTS.get(config.start_type, "other")
    finally:
        close(service)
