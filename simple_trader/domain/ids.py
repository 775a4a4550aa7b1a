"""Identities made from (epoch, sequence): the same state and event always make the same id.

`cl_ord_id` is free ASCII of at most 18 characters (protocol section 8.1). The epoch grows with
every
start of the daemon (`max(database + 1, boot seconds)`), so an id is never made twice (I-02).
"""

ORDER_PREFIX = "st"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MAX_CL_ORD_ID = 18


def base36(number: int) -> str:
    """A non-negative integer in base 36."""
    if number < 0:
        raise ValueError("base36 takes no negative number")
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if number == 0:
            return text


def client_order_id(epoch: int, count: int) -> str:
    """The client order id of the `count`-th intent of `epoch`: `st<epoch>-<count>`."""
    made = f"{ORDER_PREFIX}{base36(epoch)}-{base36(count)}"
    if len(made) > MAX_CL_ORD_ID:
        raise ValueError(f"client order id {made!r} is longer than {MAX_CL_ORD_ID} characters")
    return made


def epoch_of(cl_ord_id: str | None) -> int | None:
    """The epoch that made one of our client order ids; None for a name that is not ours."""
    if cl_ord_id is None or not cl_ord_id.startswith(ORDER_PREFIX):
        return None
    epoch, _, count = cl_ord_id.removeprefix(ORDER_PREFIX).partition("-")
    if not epoch or not count or not set(epoch + count) <= set(_DIGITS):
        return None
    return int(epoch, 36)


def is_ours(cl_ord_id: str | None) -> bool:
    """Whether a client order id was made by Simple Trader (I-09): `stop-loss-1` was not."""
    return epoch_of(cl_ord_id) is not None


def local_id(kind: str, epoch: int, count: int) -> str:
    """An id of the house itself, as `d` (decision), `c` (cycle), `q` (question), `s` (snapshot)."""
    return f"{kind}{base36(epoch)}-{base36(count)}"
