"""REST requests: signed, counted, one private request at a time, reads retried (section 11)."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from simple_trader.adapters.kraken.auth import Credentials, HighWater, Nonces, sign
from simple_trader.adapters.kraken.connection import is_loopback
from simple_trader.adapters.kraken.errors import (
    ErrorKind,
    KrakenRefused,
    Outcome,
    throttled_until,
    trouble_of,
)
from simple_trader.adapters.kraken.hall_monitor import (
    URGENT,
    HallMonitor,
    KeepsCount,
    Lockout,
    PublicPace,
    cost_of,
)
from simple_trader.adapters.kraken.turns import Turns
from simple_trader.domain.errors import VenueRefused, VenueUnreachable
from simple_trader.ports import Clock, Dice, Emit, Http, HttpFailed, HttpReply

log = logging.getLogger(__name__)

_LEAST_WAIT_S = 0.001
_TRIES = 4
_FIRST_PAUSE_S = 0.5
_LOCKOUT_S = 900.0
_NONCES_BAD = 3  # in a row, each after a leap past the high-water mark
_LOCKING = (
    "EAPI:Invalid key",
    "EAPI:Invalid signature",
    "EGeneral:Temporary lockout",
    "EGeneral:Too many requests",
)
# A wrong key is mended and tried at once: only these outlive the process.
_LASTING = ("EGeneral:Temporary lockout", "EGeneral:Too many requests")
_THROTTLE_MAX_S = 120.0  # a moment further ahead is no moment of Kraken's
_TOO_MANY = 429


class _Envelope(msgspec.Struct):
    error: list[str] = []
    result: msgspec.Raw = msgspec.Raw(b"null")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
Params = Mapping[str, str | int]


class RestClient:
    """Asks `url` + `/0/...`; answers are the raw JSON of `result`.

    Raises KrakenRefused for an error of the exchange, VenueUnreachable where no answer came (a read
    is tried again before that; anything else is not: its outcome is unknown).
    """

    def __init__(
        self,
        *,
        url: str,
        http: Http,
        clock: Clock,
        dice: Dice,
        credentials: Credentials | None,
        high_water: HighWater,
        tier: str | None = None,
        timeout_s: float = 10.0,
        public_pace: bool | None = None,
        count: KeepsCount | None = None,
    ) -> None:
        """`credentials` None allows public calls only; `tier` is the REST tier of the account,
        `count` where its counter is kept over restarts.

        Where no tier is named, Kraken is taken as `intermediate`; our own sandbox on this machine
        does not count calls, and a count in real time would hold up its stepped market. The same
        goes for `public_pace`, which spaces public calls.
        """
        counted = not is_loopback(url)
        self._url = url.rstrip("/")
        self._http = http
        self._clock = clock
        self._dice = dice
        self._credentials = credentials
        self._nonces = Nonces(clock.wall, high_water)
        tier = tier or ("intermediate" if counted else "none")
        kept = None if tier == "none" else count
        self.monitor = HallMonitor(tier, clock.monotonic, kept=kept, wall=clock.wall)
        paced = counted if public_pace is None else public_pace
        self._pace = PublicPace(clock.monotonic) if paced else None
        self._timeout_s = timeout_s
        self._turns = Turns()
        self.on_trouble: Emit = lambda event: None
        self._bad_nonces = 0
        self._forbidden: dict[str, tuple[float, str]] = {}  # endpoint -> until when, by what
        self._locked_until = 0.0
        self._locked_by = ""
        self._throttled_until = 0.0
        self._kept = kept
        self._remember(None if kept is None else kept.load_lockout())

    @property
    def can_sign(self) -> bool:
        """Whether private calls are possible at all."""
        return self._credentials is not None

    async def public(self, endpoint: str, params: Params | None = None) -> msgspec.Raw:
        """GET a public endpoint."""
        query = f"?{urlencode(params)}" if params else ""

        async def once() -> HttpReply:
            throttled_s = self._throttled_until - self._clock.monotonic()
            await asyncio.sleep(
                max(throttled_s, 0.0 if self._pace is None else self._pace.take_s())
            )
            return await self._http.request(
                "GET",
                f"{self._url}/0/public/{endpoint}{query}",
                headers={},
                body=None,
                timeout_s=self._timeout_s,
            )

        for attempt in range(_TRIES):
            try:
                return _open(endpoint, await once())
            except (HttpFailed, KrakenRefused, VenueUnreachable) as error:
                self._note_throttle(error)
                await self._pause(endpoint, attempt, error)
        raise VenueUnreachable(f"Kraken did not answer {endpoint}.")

    async def private(
        self,
        endpoint: str,
        params: Params | None = None,
        *,
        read: bool = True,
        urgent: bool = False,
    ) -> msgspec.Raw:
        """POST a private endpoint; with `read` false it is sent once. It and what is `urgent` may
        use the reserve.
        """
        for attempt in range(_TRIES if read else 1):
            try:
                return await self._private_once(
                    endpoint,
                    params or {},
                    urgent=urgent or not read or endpoint in URGENT,
                    first=not read,
                )
            except (HttpFailed, KrakenRefused, VenueUnreachable) as error:
                if not read:
                    raise _final(endpoint, error) from None
                await self._pause(endpoint, attempt, error)
        raise VenueUnreachable(f"Kraken did not answer {endpoint}.")

    async def _private_once(
        self, endpoint: str, params: Params, *, urgent: bool, first: bool
    ) -> msgspec.Raw:
        if self._credentials is None:
            raise KrakenRefused(endpoint, "EAPI:Invalid key (no API key is configured)")
        cost = cost_of(endpoint)
        while True:
            now = self._clock.monotonic()
            if now < self._locked_until:
                raise KrakenRefused(endpoint, self._locked_by)
            until, word = self._forbidden.get(endpoint, (0.0, ""))
            if now < until:
                raise KrakenRefused(endpoint, word)
            wait_s = self._wait_s(cost, urgent=urgent)
            if wait_s > 0:
                # A rest that only rounding leaves would be slept without any time passing.
                await asyncio.sleep(max(wait_s, _LEAST_WAIT_S))
                continue
            # Nonces must arrive in order: the next request starts when this one is answered.
            async with self._turns.turn(first=first):
                if self._wait_s(cost, urgent=urgent) > 0:
                    continue  # others used the room while this one waited for its turn
                self.monitor.charge(cost)
                reply = await self._post(self._credentials, endpoint, params)
            return self._opened(endpoint, reply)

    def _wait_s(self, cost: float, *, urgent: bool) -> float:
        throttled_s = self._throttled_until - self._clock.monotonic()
        return max(throttled_s, self.monitor.wait_s(cost, urgent=urgent))

    async def _post(self, credentials: Credentials, endpoint: str, params: Params) -> HttpReply:
        path = f"/0/private/{endpoint}"
        nonce = str(self._nonces.next())
        body = urlencode({"nonce": nonce, **params})
        return await self._http.request(
            "POST",
            self._url + path,
            headers={
                "API-Key": credentials.key.reveal(),
                "API-Sign": sign(credentials.secret.reveal(), path, nonce, body),
                "Content-Type": "application/x-www-form-urlencoded",
            },
            body=body.encode(),
            timeout_s=self._timeout_s,
        )

    def _opened(self, endpoint: str, reply: HttpReply) -> msgspec.Raw:
        if reply.status == _TOO_MANY:
            self.monitor.exhausted()
        try:
            opened = _open(endpoint, reply)
        except KrakenRefused as error:
            self._learn(endpoint, error)
            raise
        self._bad_nonces = 0
        return opened

    def _learn(self, endpoint: str, error: KrakenRefused) -> None:
        now = self._clock.monotonic()
        if error.kind is ErrorKind.NONCE:
            self._nonces.leap()
            self._bad_nonces += 1
            persistent = self._bad_nonces >= _NONCES_BAD
            if persistent:  # two processes use one key, or its high-water mark is lost
                self._locked_until, self._locked_by = now + _LOCKOUT_S, error.error
            self.on_trouble(trouble_of(endpoint, error.error, persistent=persistent))
        elif error.error.startswith("EAPI:Rate limit"):
            self.monitor.exhausted()
        elif error.error.startswith(_LOCKING):
            self._locked_until, self._locked_by = now + _LOCKOUT_S, error.error
            self.on_trouble(trouble_of(endpoint, error.error))
            if self._kept is not None and error.error.startswith(_LASTING):
                until = self._clock.wall() + timedelta(seconds=_LOCKOUT_S)
                self._kept.save_lockout(Lockout(until, error.error))
        elif error.kind is ErrorKind.FATAL:  # a permission is missing: others may still work
            self._forbidden[endpoint] = now + _LOCKOUT_S, error.error
            self.on_trouble(trouble_of(endpoint, error.error))
        self._note_throttle(error)

    def _remember(self, lockout: Lockout | None) -> None:
        """Go on waiting for the end of a lockout of the last process."""
        if lockout is None:
            return
        left_s = min(_LOCKOUT_S, (lockout.until - self._clock.wall()).total_seconds())
        if left_s > 0:
            self._locked_until = self._clock.monotonic() + left_s
            self._locked_by = lockout.error
            log.error("Kraken locked us out: nothing private is asked for %d s more", left_s)

    def _note_throttle(self, error: Exception) -> None:
        """Kraken named the moment before which it takes nothing: wait for it, whoever asks."""
        until = throttled_until(error.error) if isinstance(error, KrakenRefused) else None
        if until is not None:
            wait_s = (until - self._clock.wall()).total_seconds()
            self._throttled_until = self._clock.monotonic() + min(_THROTTLE_MAX_S, max(0.0, wait_s))

    async def _pause(self, endpoint: str, attempt: int, error: Exception) -> None:
        """Wait before a read is tried again; raises what another try would not change."""
        final = _final(endpoint, error)
        stubborn = isinstance(final, KrakenRefused) and (
            final.kind.outcome is Outcome.DEFINITIVE
            or final.kind in {ErrorKind.RENEW, ErrorKind.WAIT}
            or (final.kind is ErrorKind.NONCE and attempt > 0)
        )
        if stubborn or attempt + 1 >= _TRIES:
            raise _not_now(endpoint, final) from None
        pause = _FIRST_PAUSE_S * 2.0**attempt
        log.info("Kraken %s: %s; again in %.1f s", endpoint, error, pause)
        await asyncio.sleep(pause + self._dice.uniform(0.0, pause / 2))


def _final(endpoint: str, error: Exception) -> VenueRefused | VenueUnreachable:
    if isinstance(error, KrakenRefused):
        if error.kind is ErrorKind.UNKNOWN:
            return VenueUnreachable(f"Kraken did not carry out {endpoint} for sure: {error.error}")
        return error
    if isinstance(error, VenueUnreachable):
        return error
    return VenueUnreachable(f"Kraken did not answer {endpoint}: {error}")


def _not_now(endpoint: str, final: VenueRefused | VenueUnreachable) -> Exception:
    """A full counter and a closed market pass: who asked may wait for them as for an outage."""
    if isinstance(final, KrakenRefused) and final.kind in {ErrorKind.RATE, ErrorKind.WAIT}:
        return VenueUnreachable(f"Kraken does not take {endpoint} now: {final.error}")
    return final


def _open(endpoint: str, reply: HttpReply) -> msgspec.Raw:
    """Take the envelope off; warnings (`W...`) beside a result are logged."""
    if reply.status != 200:
        raise VenueUnreachable(f"Kraken answered {endpoint} with HTTP status {reply.status}.")
    try:
        envelope = _ENVELOPE.decode(reply.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise VenueUnreachable(f"Kraken's answer to {endpoint} is not its JSON envelope.") from None
    errors = [text for text in envelope.error if not text.startswith("W")]
    if errors:
        raise KrakenRefused(endpoint, errors[0])
    for text in envelope.error:
        log.warning("Kraken warns on %s: %s", endpoint, text)
    if bytes(envelope.result) == b"null":
        raise VenueUnreachable(f"Kraken's answer to {endpoint} holds no result.")
    return envelope.result
