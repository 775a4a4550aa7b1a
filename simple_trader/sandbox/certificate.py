"""A self-signed certificate made of nothing but arithmetic: ECDSA on P-256 and a little DER.

It opens TLS for loopback play money (N08, `--tls-self-signed`); its key comes of a fixed text, so
it protects nothing. Sources: RFC 5280 (certificate), RFC 5915 (key), FIPS 186-5 (curve and ECDSA).
"""

import base64
import hashlib
import ssl
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_A = _P - 3
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_EC_KEY = "1.2.840.10045.2.1"
_CURVE = "1.2.840.10045.3.1.7"
_SIGNED = "1.2.840.10045.4.3.2"  # ECDSA with SHA-256
_COMMON_NAME = "2.5.4.3"
_OTHER_NAMES = "2.5.29.17"
Point = tuple[int, int]


def _add(one: Point | None, two: Point | None) -> Point | None:
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % _P == 0:
        return None
    if one == two:
        slope = (3 * one[0] * one[0] + _A) * pow(2 * one[1], -1, _P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, _P)
    x = (slope * slope - one[0] - two[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _times(number: int, point: Point) -> Point:
    result: Point | None = None
    step: Point | None = point
    while number:
        if number & 1:
            result = _add(result, step)
        step = _add(step, step)
        number >>= 1
    if result is None:
        raise ValueError("a multiple of the curve's order is no point")
    return result


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes((tag, size)) + body
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + body


def _sequence(*parts: bytes) -> bytes:
    return _der(0x30, *parts)


def _integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(text: str) -> bytes:
    first, second, *rest = map(int, text.split("."))
    body = bytes([first * 40 + second])
    for number in rest:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(number & 0x7F | 0x80)
        body += bytes(reversed(digits))
    return _der(0x06, body)


def _bits(body: bytes) -> bytes:
    return _der(0x03, b"\0", body)


def _name(text: str) -> bytes:
    return _sequence(_der(0x31, _sequence(_oid(_COMMON_NAME), _der(0x0C, text.encode()))))


def _moment(moment: datetime) -> bytes:
    return _der(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def _signature(key: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    # The nonce is a function of key and message: the same certificate comes out every time.
    seed = key.to_bytes(32, "big") + message
    nonce = int.from_bytes(hashlib.sha256(seed).digest(), "big") % (_N - 1) + 1
    r = _times(nonce, _G)[0] % _N
    s = pow(nonce, -1, _N) * (digest + r * key) % _N
    return _sequence(_integer(r), _integer(s))


def make_certificate(now: datetime, seed: str = "sandbox") -> tuple[str, str]:
    """Give (certificate, private key) as PEM for 127.0.0.1 and localhost, for a year from `now`."""
    key = int.from_bytes(hashlib.sha256(seed.encode()).digest(), "big") % (_N - 1) + 1
    x, y = _times(key, _G)
    public = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    signed_by = _sequence(_oid(_SIGNED))
    names = _sequence(_der(0x82, b"localhost"), _der(0x87, bytes((127, 0, 0, 1))))
    extensions = _sequence(_sequence(_oid(_OTHER_NAMES), _der(0x04, names)))
    body = _sequence(
        _der(0xA0, _integer(2)),
        _integer(int(now.timestamp())),
        signed_by,
        _name("simple-trader sandbox"),
        _sequence(_moment(now - timedelta(days=1)), _moment(now + timedelta(days=365))),
        _name("simple-trader sandbox"),
        _sequence(_sequence(_oid(_EC_KEY), _oid(_CURVE)), _bits(public)),
        _der(0xA3, extensions),
    )
    certificate = _sequence(body, signed_by, _bits(_signature(key, body)))
    private = _sequence(
        _integer(1),
        _der(0x04, key.to_bytes(32, "big")),
        _der(0xA0, _oid(_CURVE)),
        _der(0xA1, _bits(public)),
    )
    return _pem("CERTIFICATE", certificate), _pem("EC PRIVATE " + "KEY", private)


def _pem(what: str, body: bytes) -> str:
    text = base64.encodebytes(body).decode()
    return f"-----BEGIN {what}-----\n{text}-----END {what}-----\n"


def tls_context(now: datetime) -> ssl.SSLContext:
    """Give a server's TLS context with such a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = make_certificate(now)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sandbox.pem"
        path.write_text(certificate + key)
        context.load_cert_chain(path)
    return context
