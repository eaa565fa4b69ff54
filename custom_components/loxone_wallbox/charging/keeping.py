"""The form on the disk of a session that has not ended.

Takes an open session, gives plain data and reads it back as it was.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .cutting import Cuts, Mark, Tail
from .following import OpenSession
from .rest import Gone, Rest
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

if TYPE_CHECKING:
    from .session_book import SessionBook


def plain_session(session: OpenSession | None) -> dict[str, Any] | None:
    """Return an open session as plain data."""
    if session is None:
        return None
    cuts = session.cuts
    without = replace(session, cuts=replace(cuts, slices=()))
    plain: dict[str, Any] = to_plain(without)
    plain["cuts"]["slices"] = [one.as_dict() for one in cuts.slices]
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
            "switched": instant(data.get("switched")),
            "told": data.get("told", data["segment_from"] is not None),
        }
    )


def plain_book(book: SessionBook) -> dict[str, Any]:
    """Return what a book is made of as plain data."""
    return {
        "wallbox": book.wallbox,
        "seq": book.seq,
        "open": plain_session(book.open),
        "closing": plain_session(book.closing),
        "waiting": [plain_session(one) for one in book.waiting],
        "price_id": book.price_id,
        "dsr_id": book.dsr_id,
        "last_connected": to_plain(book.last_connected),
        "last_end": to_plain(book.last_end),
        "rest": None if book.rest is None else book.rest.as_dict(),
        "others": list(book.others),
        "gone": [to_plain(one) for one in book.gone],
    }


def read_book(data: Mapping[str, Any]) -> dict[str, Any]:
    """Read what a book is made of. Raises what a wrong type or a missing field raises."""
    waiting = [read_session(one) for one in data.get("waiting", ())]
    return {
        "wallbox": data["wallbox"],
        "seq": data["seq"],
        "open": read_session(data["open"]),
        "closing": read_session(data["closing"]),
        "waiting": tuple(one for one in waiting if one is not None),
        "price_id": data["price_id"],
        "dsr_id": data["dsr_id"],
        "last_connected": instant(data["last_connected"]),
        "last_end": instant(data["last_end"]),
        "rest": Rest.from_dict(data.get("rest")),
        "others": tuple(map(str, data.get("others", ()))),
        "gone": tuple(Gone.from_dict(one) for one in data.get("gone", ())),
    }


def _tally(data: Mapping[str, Any]) -> Tally:
    """Read what readings move."""
    tail = data["tail"]
    lengths = ("unsure", "unseen", "segment_time", "gaps")
    return Tally(
        **{
            **data,
            # What was kept before anybody counted it has none of it.
            **{name: timedelta(seconds=data.get(name, 0.0)) for name in lengths},
            "at": datetime.fromisoformat(data["at"]),
            "flow_from": instant(data["flow_from"]),
            "flow_to": instant(data["flow_to"]),
            "tail": Tail(
                wh=tail["wh"],
                start=instant(tail["start"]),
                end=instant(tail["end"]),
                estimated=tail.get("estimated", False),
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
