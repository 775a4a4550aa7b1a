"""Names of assets and pairs: REST id, altname, slash form and v2 name are one thing (section 12).

The map is built from Assets and AssetPairs; nothing is stripped by rule. Only XBT and XDG are
renamed. A balance suffix is kept (`BTC.S`) but for `.F`, which counts as the asset itself.
"""

from collections.abc import Iterable

from simple_trader.domain.instruments import AssetRules, PairRules

RENAMED = {"XBT": "BTC", "XDG": "DOGE"}
_USABLE_SUFFIX = "F"
SUFFIX_OF_SAME = f".{_USABLE_SUFFIX}"
SAME_WALLET = "earn/flex"  # what REST's suffix means


def modern(altname: str) -> str:
    """The v2 name of an asset's altname: XBT is BTC, XDG is DOGE, all others stay."""
    stem, dot, suffix = altname.partition(".")
    return f"{RENAMED.get(stem, stem)}{dot}{suffix}"


def modern_pair(wsname: str) -> str:
    """The v2 name of a v1 `wsname`: XBT/USD is BTC/USD."""
    base, slash, quote = wsname.partition("/")
    return f"{modern(base)}{slash}{modern(quote)}"


class Symbols:
    """Looks up v2 names; an unknown name comes back as it is, so that nothing is lost."""

    def __init__(self) -> None:
        """Start empty: only XBT and XDG are known."""
        self._assets: dict[str, str] = dict(RENAMED)
        self._pairs: dict[str, str] = {}
        self._rules: dict[str, PairRules] = {}

    @property
    def loaded(self) -> bool:
        """Whether pairs are known."""
        return bool(self._rules)

    @property
    def has_assets(self) -> bool:
        """Whether more than the renamed assets are known."""
        return len(self._assets) > len(RENAMED)

    def learn_assets(self, assets: Iterable[AssetRules]) -> None:
        """Add assets under id, altname and v2 name; suffixed ones follow from their stem."""
        for rules in assets:
            if "." in rules.rest_id:
                continue
            for name in (rules.rest_id, rules.altname, rules.asset):
                self._assets[name] = rules.asset

    def learn_pairs(self, pairs: Iterable[PairRules]) -> None:
        """Add pairs under id, altname, v1 and v2 slash form."""
        legacy = {new: old for old, new in RENAMED.items()}
        for rules in pairs:
            old = f"{legacy.get(rules.base, rules.base)}/{legacy.get(rules.quote, rules.quote)}"
            for name in (rules.rest_id, rules.altname, rules.pair, old):
                if name:
                    self._pairs[name] = rules.pair
            self._rules[rules.pair] = rules

    def asset(self, name: str) -> str:
        """The v2 name of an asset of REST or WS, balance suffixes included."""
        known = self._assets.get(name)
        if known is not None:
            return known
        stem, dot, suffix = name.rpartition(".")
        if not dot:
            return name
        whole = self._assets.get(stem, stem)
        return whole if suffix == _USABLE_SUFFIX else f"{whole}.{suffix}"

    def pair(self, name: str) -> str:
        """The v2 name of a pair."""
        known = self._pairs.get(name)
        return known if known is not None else modern_pair(name)

    def rules(self, pair: str) -> PairRules | None:
        """The rules of a v2 pair, where known."""
        return self._rules.get(pair)

    def altname(self, pair: str) -> str:
        """What REST calls a v2 pair; an unknown pair is asked for by its v2 name."""
        rules = self._rules.get(pair)
        return rules.altname if rules is not None and rules.altname else pair
