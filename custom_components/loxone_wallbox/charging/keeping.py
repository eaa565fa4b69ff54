"""The form on the disk of a session that has not ended.

Takes an open session, gives plain data and reads it back as it was.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from .cutting import Cuts, Mark, Tail
from .following import OpenSession
from .session import (
    DelayNote,
    Quality,
    StopReason,
    instant,
    read_hour,
    read_segment,
    to_plain,
)
from .slices import Slice
from .tally import Tally


def plain_session(session: OpenSession | None) -> dict[str, Any] | None:
    """Return an open session as plain data."""
    if session is None:
        return None
    plain: dict[str, Any] = to_plain(session)
    plain["cuts"]["slices"] = [one.as_dict() for one in session.cuts.slices]
    return plain


def read_session(data: Mapping[str, Any] | None) -> OpenSession | None:
    """Read an open session. Raises what a wrong type or a missing field raises."""
    if data is None:
        return None
    measured, reason, after = data["measured"], data["reason"], data["reason_next"]
    return OpenSession(
        **{
            **data,
            "connected": datetime.fromisoformat(data["connected"]),
            "tally": _tally(data["tally"]),
            "cuts": _cuts(data["cuts"]),
            "segments": tuple(read_segment(one) for one in data["segments"]),
            "segment_from": instant(data["segment_from"]),
            "delays": tuple(DelayNote(**one) for one in data["delays"]),
            "reason": None if reason is None else StopReason(reason),
            "reason_next": None if after is None else StopReason(after),
            "measured": None if measured is None else Quality(**measured),
            "ended": instant(data["ended"]),
            "ahead": timedelta(seconds=data["ahead"]),
        }
    )


def _tally(data: Mapping[str, Any]) -> Tally:
    """Read what readings move."""
    tail = data["tail"]
    lengths = ("unsure", "segment_time", "gaps")
    return Tally(
        **{
            **data,
            **{name: timedelta(seconds=data[name]) for name in lengths},
            "at": datetime.fromisoformat(data["at"]),
            "flow_from": instant(data["flow_from"]),
            "flow_to": instant(data["flow_to"]),
            "tail": Tail(
                wh=tail["wh"], start=instant(tail["start"]), end=instant(tail["end"])
            ),
        }
    )


def _cuts(data: Mapping[str, Any]) -> Cuts:
    """Read the closed parts."""
    return Cuts(
        **{
            **data,
            "at": datetime.fromisoformat(data["at"]),
            "next_at": datetime.fromisoformat(data["next_at"]),
            "marks": tuple(
                Mark(**{**one, "at": datetime.fromisoformat(one["at"])})
                for one in data["marks"]
            ),
            "slices": tuple(Slice.from_dict(one) for one in data["slices"]),
            "hours": tuple(read_hour(one) for one in data["hours"]),
        }
    )
