"""Announcements of maintenance and emergency on the status channel, in whatever shape they come.

Their shape is not documented (protocol 3.1), so they are found by their words.
"""

ANNOUNCED = ("upcoming_maintenance", "emergency")
_ADVICE = (
    ("disconnect", "disconnect"),
    ("stop_new_orders", "stop"),
    ("cancel", "cancel"),
    ("reduce_activity", "reduce"),
)


def advice(said: str) -> str:
    """What an announcement advises, by its words in any shape, the strictest first.

    One without advice that we know means: no new orders in an emergency and shortly before a
    maintenance, else no new risk.
    """
    for word, action in _ADVICE:
        if word in said:
            return action
    soon = any(f'"{phase}"' in said for phase in ("30s", "5m"))
    return "stop" if soon or "emergency" in said else "reduce"
