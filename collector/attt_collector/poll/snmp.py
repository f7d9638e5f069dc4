"""The only door to pysnmp: read-only SNMP v2c and v3 with one device.

Only GET and GETBULK are ever sent. Names are never resolved here (`lookupMib=False`): that would
cost five times as much and look for MIB files that a closed network has not got.

One `Session` is one engine, one credential and one device, inside one event loop. Engines are
not shared: pysnmp binds an engine to the loop it first ran in, and keeps a device's clock by
engine ID, which cloned devices have in common.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.proto import errind
from pysnmp.proto.rfc1902 import univ  # the decoder's base classes, some values are no more

from attt_collector.family import Oid, Walk, WalkValue
from attt_collector.poll.credentials import (
    DEFAULT_COMMUNITIES,
    AuthProtocol,
    Community,
    Credentials,
    PrivacyProtocol,
    User,
)
from attt_collector.poll.errors import (
    BadAddress,
    NoAnswer,
    NotAllowed,
    UnknownUser,
    WrongAuthPassword,
    WrongPrivacyPassword,
)
from attt_rules.contract import Unreadable

# Seconds to wait for each try: slow devices behind a slow line get a second and a third chance.
TIMEOUTS_SECONDS = (1.5, 3.0, 6.0)
# A device that answers every request but never ends must not hold up the others.
MAX_WALK_SECONDS = 60.0
# Forty short values fit an Ethernet frame; larger answers are fragmented, and many firewalls
# drop fragments of UDP.
VALUES_PER_RESPONSE = 40
MAX_ROWS = 4096

_AUTH = {
    AuthProtocol.SHA1: hlapi.USM_AUTH_HMAC96_SHA,
    AuthProtocol.SHA224: hlapi.USM_AUTH_HMAC128_SHA224,
    AuthProtocol.SHA256: hlapi.USM_AUTH_HMAC192_SHA256,
    AuthProtocol.SHA384: hlapi.USM_AUTH_HMAC256_SHA384,
    AuthProtocol.SHA512: hlapi.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    PrivacyProtocol.AES128: hlapi.USM_PRIV_CFB128_AES,
    PrivacyProtocol.AES192: hlapi.USM_PRIV_CFB192_AES_BLUMENTHAL,
    PrivacyProtocol.AES256: hlapi.USM_PRIV_CFB256_AES_BLUMENTHAL,
    PrivacyProtocol.AES192_CISCO: hlapi.USM_PRIV_CFB192_AES,
    PrivacyProtocol.AES256_CISCO: hlapi.USM_PRIV_CFB256_AES,
}

# error-status of RFC 3416
_TOO_BIG = 1
_NO_SUCH_NAME = 2
_DENIED = (6, 16)  # noAccess, authorizationError
_ABSENT = (hlapi.NoSuchObject, hlapi.NoSuchInstance, hlapi.EndOfMibView)

Binds = Sequence[tuple[Oid, WalkValue | None]]


@dataclass(frozen=True, slots=True)
class _Where:
    address: str
    port: int
    device: str


class Session:
    """Read-only talk with one device; use it as `async with`.

    Args:
        device: how errors call it, "name (address:port)".
        timeouts: seconds to wait for each try; its length is the number of tries.

    Raises (from `get` and `walk`):
        NoAnswer, WrongAuthPassword, UnknownUser, WrongPrivacyPassword, BadAddress, NotAllowed.
    """

    def __init__(
        self,
        address: str,
        port: int,
        credentials: Credentials,
        *,
        device: str,
        timeouts: Sequence[float] = TIMEOUTS_SECONDS,
    ) -> None:
        self._where = _Where(address, port, device)
        self._credentials = credentials
        self._timeouts = tuple(timeouts)
        self._auth = _auth_of(credentials)
        self._engine: Any = None
        self._answered = False

    async def __aenter__(self) -> Session:
        self._engine = hlapi.SnmpEngine()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await _close(self._engine)

    async def get(self, oids: Sequence[Oid]) -> Walk:
        """Single objects, in one request. Objects that the device has not got are left out.

        Raises:
            NoAnswer: it has not answered anything yet; later silence is a `timeout` gap.
            NotAllowed: every one of them is denied.
        """
        walk = await self._get(oids)
        if not walk.answers and set(walk.gaps.values()) == {Unreadable.ACCESS_DENIED}:
            raise NotAllowed(self._where.device, "authorizationError")
        return walk

    async def _get(self, oids: Sequence[Oid]) -> Walk:
        try:
            status, binds = await self._ask(hlapi.get_cmd, oids)
        except NoAnswer:
            if not self._answered:
                raise
            return Walk({}, dict.fromkeys(oids, Unreadable.TIMEOUT))
        if status == 0:
            return _present(binds)
        if len(oids) == 1:
            return self._refused(oids[0], status)
        # Some agents fail the whole request for one object: ask for each by itself.
        walk = Walk({})
        for oid in oids:
            walk = walk.merged(await self._get([oid]))
        return walk

    async def walk(self, columns: Iterable[Oid]) -> Walk:
        """Table columns by GETBULK, side by side.

        A column that could not be read to its end stands in `gaps`: `timeout` when the device fell
        silent or took over a minute, `access_denied` when it refused, `malformed` when it answered
        out of order, with an error, or with more than 4096 rows.
        """
        answers: dict[Oid, WalkValue] = {}
        gaps: dict[Oid, Unreadable] = {}
        groups = deque([{column: column for column in columns}])  # column: last OID seen of it
        try:
            async with asyncio.timeout(MAX_WALK_SECONDS):
                while groups:
                    cursors = groups[0]
                    status = await self._walk_group(cursors, answers, gaps)
                    groups.popleft()
                    if status == 0:
                        continue
                    if len(cursors) > 1:
                        groups.extend({column: last} for column, last in cursors.items())
                    else:
                        gaps.update(self._refused(next(iter(cursors)), status).gaps)
        except (NoAnswer, TimeoutError):
            if not self._answered:
                raise
            for cursors in groups:
                gaps.update(dict.fromkeys(cursors, Unreadable.TIMEOUT))
        return Walk(answers, gaps)

    async def still_answers(self, oid: Oid) -> bool:
        """One single try, whatever it says."""
        try:
            await self._ask(hlapi.get_cmd, [oid], timeouts=self._timeouts[:1])
        except NoAnswer:
            return False
        return True

    async def _walk_group(
        self, cursors: dict[Oid, Oid], answers: dict[Oid, WalkValue], gaps: dict[Oid, Unreadable]
    ) -> int:
        """Walks until every column has ended (0), or the device reports an error (its status)."""
        most_rows = VALUES_PER_RESPONSE
        counts = dict.fromkeys(cursors, 0)
        while cursors:
            asked = list(cursors)
            rows = max(1, min(most_rows, VALUES_PER_RESPONSE // len(asked)))
            status, binds = await self._ask(
                hlapi.bulk_cmd, [cursors[column] for column in asked], 0, rows
            )
            if status == 0 and not binds:
                status = _TOO_BIG  # nothing fitted in
            if status == _TOO_BIG and rows > 1:
                most_rows = rows // 2
                continue
            if status != 0:
                return status
            for (name, value), column in zip(binds, _again_and_again(asked), strict=False):
                if column not in cursors:
                    continue
                if value is None or name[: len(column)] != column:
                    del cursors[column]
                elif name <= cursors[column] or counts[column] >= MAX_ROWS:
                    gaps[column] = Unreadable.MALFORMED
                    del cursors[column]
                else:
                    answers[name] = value
                    cursors[column] = name
                    counts[column] += 1
        return 0

    async def _ask(
        self,
        command: Any,
        oids: Sequence[Oid],
        *numbers: int,
        timeouts: Sequence[float] | None = None,
    ) -> tuple[int, Binds]:
        """One request with retries: (error-status, what was answered)."""
        tries = self._timeouts if timeouts is None else timeouts
        for seconds in tries:
            indication, status, binds = await _request(
                self._engine,
                self._auth,
                self._where,
                command=command,
                oids=oids,
                numbers=numbers,
                seconds=seconds,
            )
            # NotInTimeWindow: the engine has now taken over the device's clock, so ask again.
            if isinstance(indication, errind.RequestTimedOut | errind.NotInTimeWindow):
                continue
            self._raise_for(indication)
            self._answered = True
            return status, binds
        if not self._answered and isinstance(self._credentials, User):
            await self._blame_privacy(self._credentials)
        raise NoAnswer(self._where.device, self._credentials.version)

    def _raise_for(self, indication: Any) -> None:
        if indication is None:
            return
        if isinstance(indication, errind.WrongDigest | errind.AuthenticationFailure):
            raise WrongAuthPassword(self._where.device)
        if isinstance(indication, errind.UnknownUserName) and isinstance(self._credentials, User):
            raise UnknownUser(self._where.device, self._credentials.user)
        if isinstance(indication, errind.DecryptionError):
            raise WrongPrivacyPassword(self._where.device)
        raise NotAllowed(self._where.device, str(indication))

    async def _blame_privacy(self, user: User) -> None:
        """Silence to an encrypted request has two causes; an unencrypted one tells them apart.

        An agent that cannot decrypt drops the message (net-snmp 5.9) or reports it, but must
        report a message that lacks encryption. It is sent without a password, so it gives
        nothing away but the user's name, which every SNMPv3 message carries in clear.

        Raises:
            WrongPrivacyPassword: it answers the unencrypted message.
        """
        if user.privacy_password is None:
            return
        engine = hlapi.SnmpEngine()
        try:
            indication, _, _ = await _request(
                engine,
                hlapi.UsmUserData(user.user),  # noqa: S509 - says nothing that is secret
                self._where,
                command=hlapi.get_cmd,
                oids=[(1, 3, 6, 1, 2, 1, 1, 3, 0)],
                seconds=self._timeouts[0],
            )
        finally:
            await _close(engine)
        if not isinstance(indication, errind.RequestTimedOut):
            raise WrongPrivacyPassword(self._where.device)

    @staticmethod
    def _refused(oid: Oid, status: int) -> Walk:
        if status == _NO_SUCH_NAME:
            return Walk({})
        return Walk(
            {}, {oid: Unreadable.ACCESS_DENIED if status in _DENIED else Unreadable.MALFORMED}
        )


async def answers_default_community(
    address: str, port: int, oid: Oid, *, device: str, seconds: float = TIMEOUTS_SECONDS[0]
) -> bool:
    """Whether the device answers a v1 or v2c GET of `oid` by one of DEFAULT_COMMUNITIES.

    Any answer counts, also an error: a device that refuses a community stays silent. So does a
    lost packet, and that must not look like a refusal: there are two tries of each.
    """
    where = _Where(address, port, device)
    for _ in range(2):
        answers = await asyncio.gather(
            *(
                _answers(where, community, message_model, oid, seconds)
                for community in DEFAULT_COMMUNITIES
                for message_model in (0, 1)  # v1, v2c
            )
        )
        if any(answers):
            return True
    return False


async def _answers(
    where: _Where, community: str, message_model: int, oid: Oid, seconds: float
) -> bool:
    engine = hlapi.SnmpEngine()
    try:
        indication, _, _ = await _request(
            engine,
            hlapi.CommunityData(community, mpModel=message_model),
            where,
            command=hlapi.get_cmd,
            oids=[oid],
            seconds=seconds,
        )
    finally:
        await _close(engine)
    return indication is None


def _auth_of(credentials: Credentials) -> Any:
    if isinstance(credentials, Community):
        return hlapi.CommunityData(credentials.community, mpModel=1)  # noqa: S508 - many can no v3
    encrypted = credentials.privacy_password is not None
    return hlapi.UsmUserData(
        credentials.user,
        authKey=credentials.auth_password,
        authProtocol=_AUTH[credentials.auth_protocol],
        privKey=credentials.privacy_password,
        privProtocol=_PRIVACY[credentials.privacy_protocol] if encrypted else None,
    )


async def _request(
    engine: Any,
    auth: Any,
    where: _Where,
    *,
    command: Any,
    oids: Sequence[Oid],
    numbers: Sequence[int] = (),
    seconds: float,
) -> tuple[Any, int, Binds]:
    """One message, one wait: (error indication, error-status, what was answered)."""
    try:
        target = await _target_class(where.address).create(
            (where.address, where.port), timeout=seconds, retries=0
        )
    except PySnmpError as error:
        raise BadAddress(where.device) from error
    indication, status, _, binds = await command(
        engine,
        auth,
        target,
        hlapi.ContextData(),
        *numbers,
        *(hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in oids),
        lookupMib=False,
    )
    return indication, int(status), [(tuple(name), _plain(value)) for name, value in binds]


def _present(binds: Binds) -> Walk:
    return Walk({name: value for name, value in binds if value is not None})


def _target_class(address: str) -> Any:
    try:
        is_v6 = ipaddress.ip_address(address).version == 6
    except ValueError:
        is_v6 = False
    return hlapi.Udp6TransportTarget if is_v6 else hlapi.UdpTransportTarget


def _plain(value: Any) -> WalkValue | None:
    """A pysnmp value as ours; None when the device says that there is none."""
    if isinstance(value, _ABSENT):
        return None
    if isinstance(value, univ.Integer):
        return int(value)
    if isinstance(value, univ.ObjectIdentifier):
        return tuple(value)
    if isinstance(value, univ.OctetString):
        return bytes(value)
    return None  # Null: how an error answer repeats what was asked


def _again_and_again(columns: Sequence[Oid]) -> Iterator[Oid]:
    while True:
        yield from columns


async def _close(engine: Any) -> None:
    engine.close_dispatcher()
    await asyncio.sleep(0)  # asyncio closes the socket on its next turn
