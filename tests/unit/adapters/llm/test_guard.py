"""Mode live calls addresses that were looked at: no inner one, whatever a name points to (L19)."""

import pytest

from simple_trader.adapters.llm.guard import address_trouble

INNER = ["127.0.0.1", "10.0.0.7", "192.168.1.1", "172.16.0.1", "100.64.0.1", "::1", "fd00::1"]
NEVER = [
    "169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1",
    "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "2002:a9fe:a9fe::1",
    "::ffff:169.254.169.254", "255.255.255.255", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", ["104.18.6.192", "2606:4700::6812:6c0"])
def test_l19_a_public_address_is_called(address: str) -> None:
    assert address_trouble(address, "public") is None
    assert address_trouble(address, "listed") is None


@pytest.mark.parametrize("address", [*INNER, "::ffff:10.0.0.7", "2002:a00:7::1"])
def test_l19_an_inner_address_is_called_only_where_a_person_listed_the_host(address: str) -> None:
    assert "no public address" in str(address_trouble(address, "public"))
    assert address_trouble(address, "listed") is None


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("reach", ["public", "listed"])
def test_l19_the_metadata_service_and_what_is_no_server_are_never_called(
    address: str, reach: str
) -> None:
    assert address_trouble(address, reach) is not None
