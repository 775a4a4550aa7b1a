"""A program written from Kraken's documentation alone runs on the sandbox."""

from clients_parts import Told

PROGRAM = "docs_client.py"


def test_the_guide_s_signature_gives_the_published_vector(told: Told) -> None:
    assert told("the_published_signature_is_ours") == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_form_and_json_bodies_are_both_accepted(told: Told) -> None:
    seen = told("forms_and_json_bodies_are_both_signed")
    assert "hold_trade" in seen["form"]["result"]["ZUSD"]
    assert seen["json"]["result"]["descr"]["order"].startswith("buy 0.00100000 ")
    assert seen["cancelled"]["result"] == {"count": 1}


def test_the_socket_guide_s_session_runs_as_written(told: Told) -> None:
    seen = told("the_session_of_the_socket_guide_runs")
    assert seen["first"]["channel"] == "status"
    client_id = "6d1b345e-2821-40e2-ad83-4ecb18a06876"
    assert seen["placed"]["result"]["cl_ord_id"] == client_id
    assert seen["checked"]["success"] is True
    assert seen["cancelled"]["result"] == {"cl_ord_id": client_id}
    assert seen["armed"]["result"]["triggerTime"].endswith("Z")
    assert seen["disarmed"]["success"] is True
    assert set(seen["pong"]) == {"method", "req_id", "time_in", "time_out"}
