"""Subsegments for X-Ray, for a request that is sampled: the route, and in it each call to a backing service.

Lambda itself writes the function's segment. What is below it goes to the daemon in one UDP datagram (AWS X-Ray
Developer Guide, "Sending trace data to X-Ray" and "Segment documents"), which takes this page and no SDK.
"""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Iterable
from typing import Any

from shopping_bot.request_metrics import BackingServiceCall

_HEADER = '{"format": "json", "version": 1}\n'
_MAXIMUM_CALLS = 50  # a datagram holds 64 KB


def send(header: str, daemon_address: str, route: str, started: float, calls: Iterable[BackingServiceCall]) -> None:
    """Send the subsegments of one request to the daemon at `daemon_address` (HOST:PORT).

    `header` is the value of X-Amzn-Trace-Id, `started` in seconds since the epoch. A trace that cannot be sent is
    lost; a request never fails by it.
    """
    fields = dict(part.strip().split("=", 1) for part in header.split(";") if "=" in part)
    host, _, port = daemon_address.split()[-1].removeprefix("udp:").rpartition(":")
    if not {"Root", "Parent"} <= fields.keys() or not host or not port.isdigit():
        return
    document = {
        **_span(route, started, time.time()),
        "type": "subsegment",
        "trace_id": fields["Root"],
        "parent_id": fields["Parent"],
        "subsegments": [
            {
                **_span(call.backing_service, call.started, call.started + call.seconds),
                "namespace": "remote",
                **({"fault": True} if call.failed else {}),
            }
            for call in list(calls)[:_MAXIMUM_CALLS]
        ],
    }
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
            daemon.setblocking(False)
            daemon.sendto((_HEADER + json.dumps(document)).encode(), (host, int(port)))
    except OSError:
        return


def _span(name: str, started: float, ended: float) -> dict[str, Any]:
    # Names may hold letters, digits, spaces and _ . : / % & # = + \ - @ only.
    allowed = "".join(character if character.isalnum() or character in " _.:/-" else "." for character in name)
    return {"id": secrets.token_hex(8), "name": allowed, "start_time": started, "end_time": ended}
