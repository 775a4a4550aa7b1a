"""How each generated pair behaves: first price, share of the common factor, own noise, spread.

`FREE` pairs have a price path of their own. A `CROSS` has none: its price is that of its base in
dollars over that of its quote in dollars, both from the free pairs, times a basis that is always
smaller than its own half spread, so that no round trip over three pairs ever pays.
"""

import msgspec


class Character(msgspec.Struct, frozen=True):
    """How one pair behaves; noise per root second, `peg` pulls to the first price per second."""

    price: float
    beta: float
    noise: float
    spread_bps: float
    prints_per_second: float
    peg: float = 0.0


class Cross(msgspec.Struct, frozen=True):
    """A pair that follows from two free ones: their symbols, its spread and its prints."""

    base: str
    quote: str
    spread_bps: float
    prints_per_second: float


FREE: dict[str, Character] = {
    "BTC/USD": Character(64_250.0, 1.00, 0.000030, 0.6, 1.2),
    "ETH/USD": Character(3_180.0, 1.15, 0.000045, 0.9, 0.9),
    "SOL/USD": Character(148.0, 1.45, 0.000070, 2.0, 0.7),
    "XRP/USD": Character(0.5872, 1.10, 0.000070, 2.5, 0.5),
    "ADA/USD": Character(0.4431, 1.20, 0.000075, 3.0, 0.4),
    "DOGE/USD": Character(0.12345, 1.35, 0.000085, 3.0, 0.4),
    "LTC/USD": Character(82.4, 1.00, 0.000060, 2.5, 0.3),
    "DOT/USD": Character(6.871, 1.20, 0.000075, 3.5, 0.3),
    "EUR/USD": Character(1.0852, 0.02, 0.0000080, 0.6, 0.10),
    "GBP/USD": Character(1.2714, 0.02, 0.0000085, 0.8, 0.05),
    "USDT/USD": Character(1.0001, 0.0, 0.0000020, 0.3, 0.30, 0.0020),
    "USDC/USD": Character(0.9999, 0.0, 0.0000015, 1.0, 0.20, 0.0020),
    "DAI/USD": Character(0.9998, 0.0, 0.0000030, 6.0, 0.02, 0.0015),
    "LINK/USD": Character(14.62, 1.25, 0.000080, 3.0, 0.20),
    "AVAX/USD": Character(28.4, 1.35, 0.000085, 4.0, 0.15),
    "ATOM/USD": Character(6.32, 1.15, 0.000080, 4.0, 0.08),
    "UNI/USD": Character(7.91, 1.25, 0.000090, 4.0, 0.08),
    "XLM/USD": Character(0.0987, 1.10, 0.000080, 3.5, 0.15),
    "XMR/USD": Character(164.3, 0.60, 0.000070, 4.5, 0.10),
    "ETC/USD": Character(19.85, 1.10, 0.000080, 4.5, 0.06),
    "BCH/USD": Character(342.6, 1.05, 0.000075, 4.0, 0.10),
    "TRX/USD": Character(0.1546, 0.50, 0.000045, 3.0, 0.12),
    "AAVE/USD": Character(147.2, 1.30, 0.000090, 4.0, 0.08),
    "ALGO/USD": Character(0.1285, 1.25, 0.000085, 4.5, 0.06),
    "PEPE/USD": Character(0.00000968, 1.60, 0.000120, 6.0, 0.20),
    "SHIB/USD": Character(0.00001787, 1.45, 0.000095, 8.0, 0.15),
    "PAXG/USD": Character(2_648.0, 0.05, 0.000018, 2.0, 0.06),
    "ACA/USD": Character(0.0412, 1.20, 0.000110, 60.0, 0.01),
    "MON/USD": Character(0.03254, 1.50, 0.000140, 25.0, 0.05),
    "KTA/USD": Character(0.4127, 1.50, 0.000140, 25.0, 0.05),
}

CROSS: dict[str, Cross] = {
    "BTC/EUR": Cross("BTC/USD", "EUR/USD", 0.9, 0.50),
    "ETH/EUR": Cross("ETH/USD", "EUR/USD", 1.3, 0.35),
    "SOL/EUR": Cross("SOL/USD", "EUR/USD", 2.6, 0.20),
    "XRP/EUR": Cross("XRP/USD", "EUR/USD", 3.0, 0.20),
    "USDT/EUR": Cross("USDT/USD", "EUR/USD", 1.2, 0.15),
    "BTC/GBP": Cross("BTC/USD", "GBP/USD", 1.6, 0.15),
    "EUR/GBP": Cross("EUR/USD", "GBP/USD", 1.2, 0.03),
    "BTC/USDT": Cross("BTC/USD", "USDT/USD", 0.9, 0.40),
    "ETH/USDT": Cross("ETH/USD", "USDT/USD", 1.4, 0.25),
    "SOL/USDT": Cross("SOL/USD", "USDT/USD", 3.0, 0.15),
    "DOGE/USDT": Cross("DOGE/USD", "USDT/USD", 4.0, 0.10),
    "BTC/USDC": Cross("BTC/USD", "USDC/USD", 1.2, 0.20),
    "ETH/USDC": Cross("ETH/USD", "USDC/USD", 1.6, 0.10),
    "USDC/USDT": Cross("USDC/USD", "USDT/USD", 1.0, 0.10),
    "ETH/BTC": Cross("ETH/USD", "BTC/USD", 2.0, 0.25),
    "SOL/BTC": Cross("SOL/USD", "BTC/USD", 4.0, 0.10),
    "XRP/BTC": Cross("XRP/USD", "BTC/USD", 5.0, 0.08),
    "LTC/BTC": Cross("LTC/USD", "BTC/USD", 5.0, 0.06),
    "SOL/ETH": Cross("SOL/USD", "ETH/USD", 5.0, 0.05),
    "LINK/ETH": Cross("LINK/USD", "ETH/USD", 7.0, 0.03),
    "ETC/EUR": Cross("ETC/USD", "EUR/USD", 12.0, 0.02),
    "ACA/EUR": Cross("ACA/USD", "EUR/USD", 80.0, 0.01),
    "XMR/EUR": Cross("XMR/USD", "EUR/USD", 6.0, 0.05),
}


def needed_for(symbols: list[str]) -> list[str]:
    """Give the free pairs that some pairs need, their legs included, each once, legs first."""
    needed: dict[str, None] = {}
    for symbol in symbols:
        cross = CROSS.get(symbol)
        for name in (symbol,) if cross is None else (cross.base, cross.quote):
            needed[name] = None
    return [symbol for symbol in FREE if symbol in needed]
