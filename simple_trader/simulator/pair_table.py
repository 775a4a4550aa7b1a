"""Kraken's pairs and assets as a table: names, precisions, minimums, fee table, status.

The figures are Kraken's of 2025 and 2026 (protocol sections 3.6, 11.4 and 12), margin left out.
Three things are ours: pairs with a fiat base have four decimals of quantity (Kraken: eight, more
than its own ledger keeps), PAXG/USD has a price increment of five ticks, so that nobody takes
10^-precision for the step, and the last four pairs stand in the status that this table gives them.

`ASSETS`: name on WS v2, REST id, altname, ledger decimals, display decimals, status.
`STAKED`: suffixes of the earn and staking balances of an asset; they are not tradable.
`PAIRS`: symbol, REST id, price decimals, price increment in ticks, minimum quantity, minimum cost,
cost decimals, fee table, status, book (usual or thin).
"""

ASSETS = """
USD    ZUSD  USD    4 2 enabled
BTC    XXBT  XBT   10 5 enabled
ETH    XETH  ETH   10 5 enabled
SOL    SOL   SOL   10 5 enabled
XRP    XXRP  XRP    8 5 enabled
ADA    ADA   ADA    8 6 enabled
DOGE   XXDG  XDG    8 2 enabled
LTC    XLTC  LTC   10 5 enabled
DOT    DOT   DOT   10 8 enabled
EUR    ZEUR  EUR    4 2 enabled
GBP    ZGBP  GBP    4 2 enabled
USDT   USDT  USDT   8 4 enabled
USDC   USDC  USDC   8 4 enabled
DAI    DAI   DAI   10 5 enabled
LINK   LINK  LINK  10 5 enabled
AVAX   AVAX  AVAX  10 5 enabled
ATOM   ATOM  ATOM   8 6 enabled
UNI    UNI   UNI   10 5 enabled
XLM    XXLM  XLM    8 5 enabled
XMR    XXMR  XMR   10 5 enabled
ETC    XETC  ETC   10 5 enabled
BCH    BCH   BCH   10 5 enabled
TRX    TRX   TRX    8 5 enabled
AAVE   AAVE  AAVE  10 5 enabled
ALGO   ALGO  ALGO   8 5 enabled
PEPE   PEPE  PEPE   5 2 enabled
SHIB   SHIB  SHIB   5 2 enabled
PAXG   PAXG  PAXG  10 5 enabled
ACA    ACA   ACA   10 5 withdrawalonly
MON    MON   MON   10 5 depositonly
KTA    KTA   KTA   10 5 fundingtemporarilydisabled
"""

STAKED = """
BTC .F .M
ETH .F .B
SOL .F .B .S
ADA .F .S
DOT .F .B .S
USD .F
USDT .F
USDC .F
"""

PAIRS = """
BTC/USD   XXBTZUSD 1 1 0.00005 0.5     5 crypto online      usual
ETH/USD   XETHZUSD 2 1 0.001   0.5     5 crypto online      usual
SOL/USD   SOLUSD   2 1 0.02    0.5     5 crypto online      usual
XRP/USD   XXRPZUSD 5 1 2       0.5     5 crypto online      usual
ADA/USD   ADAUSD   6 1 4       0.5     5 crypto online      usual
DOGE/USD  XDGUSD   7 1 13      0.5     5 crypto online      usual
LTC/USD   XLTCZUSD 2 1 0.04    0.5     5 crypto online      usual
DOT/USD   DOTUSD   4 1 0.5     0.5     5 crypto online      usual
EUR/USD   ZEURZUSD 5 1 5       0.5     5 stable online      usual
GBP/USD   ZGBPZUSD 5 1 5       0.5     5 stable online      usual
USDT/USD  USDTZUSD 5 1 5       0.5     5 stable online      usual
USDC/USD  USDCUSD  4 1 5       0.5     5 stable online      usual
DAI/USD   DAIUSD   5 1 5       0.5     5 stable online      thin
LINK/USD  LINKUSD  5 1 0.2     0.5     5 crypto online      usual
AVAX/USD  AVAXUSD  2 1 0.1     0.5     5 crypto online      usual
ATOM/USD  ATOMUSD  4 1 0.5     0.5     5 crypto online      usual
UNI/USD   UNIUSD   3 1 0.5     0.5     5 crypto online      usual
XLM/USD   XXLMZUSD 6 1 20      0.5     6 crypto online      usual
XMR/USD   XXMRZUSD 2 1 0.01    0.5     5 crypto online      usual
ETC/USD   XETCZUSD 3 1 0.25    0.5     5 crypto online      usual
BCH/USD   BCHUSD   2 1 0.01    0.5     5 crypto online      usual
TRX/USD   TRXUSD   6 1 15      0.5     6 crypto online      usual
AAVE/USD  AAVEUSD  2 1 0.02    0.5     5 crypto online      usual
ALGO/USD  ALGOUSD  5 1 20      0.5     5 crypto online      usual
PEPE/USD  PEPEUSD  9 1 400000  0.5     9 crypto online      usual
SHIB/USD  SHIBUSD  8 1 300000  0.5     8 crypto online      usual
PAXG/USD  PAXGUSD  2 5 0.001   0.5     5 crypto online      usual
BTC/EUR   XXBTZEUR 1 1 0.00005 0.45    5 crypto online      usual
ETH/EUR   XETHZEUR 2 1 0.001   0.45    5 crypto online      usual
SOL/EUR   SOLEUR   2 1 0.02    0.45    5 crypto online      usual
XRP/EUR   XXRPZEUR 5 1 2       0.45    5 crypto online      usual
USDT/EUR  USDTEUR  4 1 5       0.45    5 stable online      usual
BTC/GBP   XXBTZGBP 1 1 0.00005 0.4     5 crypto online      usual
EUR/GBP   EURGBP   5 1 5       0.4     5 stable online      usual
BTC/USDT  XBTUSDT  1 1 0.00005 0.5     5 crypto online      usual
ETH/USDT  ETHUSDT  2 1 0.001   0.5     5 crypto online      usual
SOL/USDT  SOLUSDT  2 1 0.02    0.5     5 crypto online      usual
DOGE/USDT XDGUSDT  7 1 13      0.5     7 crypto online      usual
BTC/USDC  XBTUSDC  2 1 0.00005 0.5     5 crypto online      usual
ETH/USDC  ETHUSDC  2 1 0.001   0.5     5 crypto online      usual
USDC/USDT USDCUSDT 4 1 5       0.5     5 stable online      usual
ETH/BTC   XETHXXBT 6 1 0.001   0.00002 10 crypto online     usual
SOL/BTC   SOLXBT   7 1 0.02    0.00002 10 crypto online     usual
XRP/BTC   XXRPXXBT 8 1 2       0.00002 10 crypto online     usual
LTC/BTC   XLTCXXBT 6 1 0.04    0.00002 10 crypto online     usual
SOL/ETH   SOLETH   6 1 0.02    0.0002  10 crypto online     usual
LINK/ETH  LINKETH  7 1 0.2     0.0002  10 crypto online     usual
ETC/EUR   XETCZEUR 3 1 0.25    0.45    5 crypto online      thin
ACA/EUR   ACAEUR   5 1 12000   0.45    5 crypto cancel_only thin
MON/USD   MONUSD   5 1 50      0.5     5 crypto post_only   thin
KTA/USD   KTAUSD   4 1 5       0.5     5 crypto limit_only  thin
XMR/EUR   XXMRZEUR 2 1 0.01    0.45    5 crypto reduce_only usual
"""
