"""The rows of regulations 5 to 11 and 14, and of the whole report.

Takes the facts of a wallbox, gives rows; the sentences are keys of texts.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from ..charging.regulation import MAX_DELAY_S
from ..charging.session import Source
from ..meter.refresh import SUITABLE_S
from .compliance import (
    POINTER,
    PROFILE,
    Line,
    Report,
    Row,
    State,
    elsewhere,
    line,
    row,
    summed_up,
    when,
    without_profile,
)
from .compliance_facts import Draws, Facts, MeasuringFacts, RuleFacts
from .compliance_schedule import schedule_rows

# Regulation 9 asks for every reading of an hour; one that comes late is no matter.
ENOUGH_READINGS = 0.99
# Findings of a meter that speak against its energy or power being right.
WRONG_FIGURES = frozenset(
    {
        "inaccurate",
        "biased",
        "counter_stuck",
        "wiring_inverted",
        "phases_disagree",
        "apparent_power_disagrees",
        "power_high",
        "samples_rejected",
    }
)
# What no test, and one that could tell nothing, say of a wallbox without us.
NOTHING_TOLD = frozenset({None, "inconclusive", "unmeasured"})
TOO_SELDOM = frozenset({"coverage_low", "measures_slowly"})


def report_of(facts: Facts) -> Report:
    """Return the report on a wallbox."""
    schedule = tuple(schedule_rows(facts))
    rows = (
        *_smart_rows(facts),
        *_measuring_rows(facts),
        *_hours_rows(facts),
        *_delay_rows(facts),
        summed_up(POINTER, schedule),
        elsewhere("R13", line("statement_of_the_seller")),
        elsewhere("R14", line("register_of_the_seller")),
        *schedule,
    )
    if facts.profile != PROFILE:
        rows = without_profile(rows)
    elif facts.demonstration:
        gap = line("demonstration")
        rows = (Row(id="DEMO", state=State.ATTENTION, gaps=(gap,)), *rows)
    return Report(facts=facts, rows=rows)


def _smart_rows(facts: Facts) -> Iterator[Row]:
    """Yield regulations 5 to 8."""
    link, rules = facts.link, facts.rules
    yield row(
        "R5a",
        proof=[line("linked_now") if link.linked else line("linked_not")],
        gaps=[when(not link.linked, "gap_link_lost")],
    )
    yield row(
        "R5b",
        proof=[line("rate_and_time")],
        gaps=[when(not link.writable, "gap_not_writable")],
    )
    yield _grid_events(rules)
    yield row("R5d", proof=[line("interfaces")])
    tariff = rules.tariff or "none"
    yield row("R6", proof=[line("any_supplier"), line(f"tariff_{tariff}")])
    yield _without_us(facts)
    refused = facts.security.recorded.get("override_refused")
    yield row(
        "R8",
        proof=[
            line("overrides_gated"),
            *([] if refused is None else [line("overrides_refused", count=refused)]),
        ],
        limits=[line("faults_are_the_wallbox")],
    )


def _grid_events(rules: RuleFacts) -> Row:
    """Return what came of grid events; where all were missed, nothing shows they work.

    What the owner left, or came without a vehicle, speaks neither for it nor against.
    """
    outcomes, missed = rules.outcomes, rules.outcomes.get("missed", 0)
    worked = outcomes.get("delivered", 0) + outcomes.get("partial", 0)
    return row(
        "R5c",
        proof=[
            line("events_known", count=rules.events_known, sources=rules.event_sources),
            *(
                line(f"event_{outcome}", count=count)
                for outcome, count in sorted(outcomes.items())
            ),
        ],
        gaps=[when(missed and not worked, "gap_events", count=missed)],
    )


def _without_us(facts: Facts) -> Row:
    """Return regulation 7: what is left without the network, and without us."""
    link = facts.link
    proof = [line("goes_on_alone")]
    if link.watchdog:
        proof.append(line("watchdog_set"))
    else:
        proof.append(line("watchdog_none"))
    if link.handed_over_at is not None and link.handed_over_allowed is not None:
        at = link.handed_over_at
        key = "handed_over" if link.handed_over_allowed else "handed_over_failed"
        proof.append(line(key, at=at))
    if link.fallback is None:
        proof.append(line("fallback_not_run"))
    else:
        tested_at = _instant(link.fallback_tested_at or "?")
        proof.append(line(f"fallback_{link.fallback}", at=tested_at))
    return row(
        "R7",
        proof=proof,
        gaps=[
            when(not link.hand_over_allows, "gap_hand_over"),
            when(link.handed_over_allowed is False, "gap_handed_over"),
            when(not link.watchdog, "gap_watchdog"),
            when(link.fallback in NOTHING_TOLD, "gap_fallback_not_run"),
            when(link.fallback == "failed", "gap_fallback"),
        ],
    )


def _measuring_rows(facts: Facts) -> Iterator[Row]:
    """Yield regulation 9."""
    measuring = facts.measuring
    metered, found = measuring.source is Source.METER, frozenset(measuring.findings)
    source = line(f"measured_{measuring.source.value}")
    estimated = measuring.source is Source.ESTIMATED
    yield row(
        "R9a",
        proof=[source],
        gaps=[when(estimated, "gap_estimated")],
    )
    history = [line("kept_for", months=measuring.retention_months)]
    if measuring.first_session is not None:
        history.append(line("kept_since", month=measuring.first_session))
    if measuring.sessions is not None:
        history.append(
            line(
                "last_year",
                count=measuring.sessions,
                kwh=measuring.energy_kwh or 0.0,
                hours=measuring.charging_h or 0.0,
            )
        )
    unread = measuring.sessions_unread
    yield row(
        "R9b",
        proof=history,
        gaps=[
            when(unread, "gap_sessions_unread"),
            when(measuring.sessions_damaged and not unread, "gap_sessions_damaged"),
        ],
    )
    yield _each_second(measuring, source)
    yield row(
        "R9d",
        proof=_accuracy(facts),
        gaps=[
            when(not metered, "gap_accuracy_unknown"),
            when(metered and not measuring.errors_pct, "gap_not_compared"),
            when(found & WRONG_FIGURES, "gap_meter_doubtful", count=len(found)),
        ],
        limits=[line("common_error_unseen")] if metered else [],
    )


def _each_second(measuring: MeasuringFacts, source: Line) -> Row:
    """Return whether there is a power of each second; `source` says where it is from."""
    if measuring.source is not Source.METER:
        return row("R9c", proof=[source], gaps=[line("gap_not_each_second")])
    proof, covered = [source], measuring.coverage
    refresh_s, found = measuring.refresh_s, TOO_SELDOM & frozenset(measuring.findings)
    if measuring.every_s is not None:
        proof.append(line("asked_every", seconds=measuring.every_s))
    if refresh_s is not None:
        proof.append(line("refreshes_every", seconds=refresh_s))
    if covered is not None:
        proof.append(line("readings_came", percent=round(covered * 100, 1)))
    slowest_s = max(measuring.every_s or 0.0, refresh_s or 0.0)
    slow = slowest_s > SUITABLE_S
    if slow:
        found -= {"measures_slowly"}
    none = not covered and not measuring.just_begun
    seldom = found or (covered is not None and covered < ENOUGH_READINGS)
    return row(
        "R9c",
        proof=proof,
        gaps=[
            when(slow, "gap_too_slow", seconds=slowest_s, limit=SUITABLE_S),
            when(none, "gap_no_readings"),
            when(seldom and not none, "gap_seconds_missing"),
        ],
        limits=[line("refresh_unproven")] if refresh_s is None and not slow else [],
    )


def _accuracy(facts: Facts) -> list[Line]:
    """Return by how much the power was off in the last sessions."""
    errors = facts.measuring.errors_pct
    if not errors:
        return [line("errors_none")]
    mean = round(sum(errors) / len(errors), 1)
    low, high = min(errors), max(errors)
    most = round(low if abs(low) > abs(high) else high, 1)
    return [line("errors", count=len(errors), mean=mean, most=most)]


def _hours_rows(facts: Facts) -> Iterator[Row]:
    """Yield regulation 10."""
    rules = facts.rules
    hours = ", ".join(rules.hours)
    shown = [line("hours_are", hours=hours)] if hours else [line("hours_none")]
    shown.append(line("peak_is", peak=", ".join(rules.peak), zone=rules.zone))
    choice = rules.first_choice
    yield row(
        "R10a",
        proof=[
            *shown,
            *(
                []
                if choice is None
                else [
                    line(f"first_{choice}", at=_instant(rules.first_choice_at or "?"))
                ]
            ),
        ],
        gaps=[
            when(choice is None and not rules.under_agreement, "gap_first_use"),
            when(rules.in_peak, "gap_in_peak", hours=", ".join(rules.in_peak)),
            when(rules.zone_deviates, "gap_zone", zone=rules.zone),
            when(rules.days_off_deviate, "gap_days_off"),
        ],
    )
    yield row("R10b", proof=[line("hours_changeable")])
    if not hours and rules.under_agreement:
        yield elsewhere("R10c", line("under_agreement"))
    else:
        decided = rules.hours_decided or choice == "remove"
        off = line("hours_off") if hours and not rules.hours_on else None
        yield row(
            "R10c",
            proof=[line("hours_decide"), *([] if off is None else [off])],
            gaps=[when(not hours and not decided, "gap_no_hours")],
        )
    yield row("R10d", proof=[line("events_left")])


def _delay_rows(facts: Facts) -> Iterator[Row]:
    """Yield regulation 11."""
    rules = facts.rules
    ours = rules.delays_by == "home_assistant"
    proof = [line(f"delay_by_{rules.delays_by}")]
    if ours:
        proof.append(line("delay_up_to", seconds=rules.max_delay_s))
        proof += [] if rules.draws is None else _drawn(rules.draws)
    elif rules.exempt_since is not None:
        proof.append(line("delay_named", at=_instant(rules.exempt_since)))
    short = ours and rules.max_delay_s < rules.usual_delay_s
    nobody = rules.delays_by == "nobody"
    unseen = [] if ours or nobody else [line("other_delays_unseen")]
    if ours and rules.draws is None:
        # The draws are our own and come by themselves: nobody has to do anything.
        unseen.append(line("draws_none"))
    yield row(
        "R11a",
        proof=proof,
        gaps=[
            when(
                short,
                "gap_delay_short",
                seconds=rules.max_delay_s,
                usual=rules.usual_delay_s,
            ),
            when(ours and not rules.plug_in_delayed, "gap_plug_in"),
            when(nobody, "gap_nobody_delays"),
            when(
                not ours and not nobody and rules.exempt_since is None,
                "gap_other_delays",
            ),
        ],
        limits=unseen,
    )
    yield row("R11b", proof=[line("delay_adjustable", seconds=MAX_DELAY_S)])
    skipped = 0 if rules.draws is None else rules.draws.outcomes.get("skipped", 0)
    yield row("R11c", proof=[line("delay_exempt"), line("skipped", count=skipped)])


def _drawn(draws: Draws) -> list[Line]:
    """Return how the last draws were spread."""
    return [
        line(
            "draws",
            count=draws.count,
            least=draws.least_s,
            mean=draws.mean_s,
            most=draws.most_s,
        ),
        line("draws_spread", parts=", ".join(map(str, draws.parts))),
    ]


def _instant(text: str) -> datetime | str:
    """Return an instant that was kept, in UTC unless it says; else the text itself."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return at if at.tzinfo else at.replace(tzinfo=UTC)
