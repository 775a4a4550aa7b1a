"""Kraken-shaped ids (6-5-6 characters of A-Z2-7) that follow from seed and counter."""

from simple_trader.simulator.dice import mix, stream_key

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def kraken_id(letter: str, seed: int, counter: int) -> str:
    """Name the counter-th thing of a kind: `O` orders, `T` trades and amends, `L` ledger entries.

    The counter goes through a bijection of 64 bits, written in 13 of the 16 free characters, so
    two counters of one seed never share an id. Source: protocol section 11.5.
    """
    key = stream_key(seed, letter)
    unique = mix(key ^ counter)
    filler = mix(unique ^ key) & 0x7FFF
    number = (filler << 65) | unique
    letters = [_ALPHABET[(number >> (5 * place)) & 31] for place in range(16)]
    body = "".join(letters)
    return f"{letter}{body[:5]}-{body[5:10]}-{body[10:]}"
