"""Each requirement's row: met, not met and why, or not a matter of ours."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.loxone_wallbox.charging.delay import Draw, Outcome
from custom_components.loxone_wallbox.charging.regulation import Cause
from custom_components.loxone_wallbox.charging.session import Source
from custom_components.loxone_wallbox.compliance_report import (
    FOLDER,
    load_texts,
    markdown,
    plain,
)
from custom_components.loxone_wallbox.meter.findings import FindingKind
from custom_components.loxone_wallbox.records.compliance import Report, State
from custom_components.loxone_wallbox.records.compliance_facts import (
    Facts,
    LinkFacts,
    MeasuringFacts,
    RuleFacts,
    SecurityFacts,
    draws_of,
)
from custom_components.loxone_wallbox.records.compliance_rows import (
    TOO_SELDOM,
    WRONG_FIGURES,
    report_of,
)

AT = datetime(2027, 1, 13, 17, 25, tzinfo=UTC)
RECORDS = Path(report_of.__code__.co_filename).parent

# A wallbox of which nothing is left to wish for.
PERFECT = Facts(
    profile="gb_2021",
    profile_version=1,
    demonstration=False,
    link=LinkFacts(
        linked=True,
        writable=True,
        tls=True,
        verified=True,
        password_weak=False,
        user_is_admin=False,
        firmware="16.0.0.0",
        newest_firmware="16.0.0.0",
        handed_over_at=AT,
        handed_over_allowed=True,
        watchdog=True,
        fallback_tested_at=AT.isoformat(),
        fallback="passed",
        tamper_seen_by=("contact", "online", "meter"),
        tamper_policy="limit",
    ),
    rules=RuleFacts(
        hours=("mon-sun 22:00-08:00",),
        peak=("mon-fri 08:00-11:00", "mon-fri 16:00-22:00"),
        first_choice="accept",
        first_choice_at="2027-01-01T12:00:00+00:00",
        zone="Europe/London",
        max_delay_s=600,
        usual_delay_s=600,
        events_known=2,
        event_sources=1,
        outcomes={"delivered": 1},
        tariff="fixed",
    ),
    measuring=MeasuringFacts(
        source=Source.METER,
        coverage=0.999,
        every_s=1.0,
        refresh_s=1.0,
        errors_pct=(0.4, -0.9),
        retention_months=25,
        first_session="2025-01",
        sessions=3,
        energy_kwh=12.5,
        charging_h=2.5,
    ),
    security=SecurityFacts(
        log_records=7,
        recorded={"override_refused": 2, "auth_failed": 1},
        people_deletable=True,
        support_until="2028-12-31",
        report_at="https://example.org/security",
    ),
)


def draw(seconds: int, outcome: Outcome = Outcome.APPLIED) -> Draw:
    """Return the record of a draw."""
    return Draw(
        relevant_time_id=f"{seconds}",
        cause=Cause.PLUG_IN,
        relevant_at=AT,
        drawn_s=seconds,
        due=AT + timedelta(seconds=seconds),
        outcome=outcome,
        at=AT,
    )


def changed(part: str, **changes: Any) -> Facts:
    """Return the perfect wallbox with something else about it."""
    return replace(PERFECT, **{part: replace(getattr(PERFECT, part), **changes)})


def test_nothing_to_wish_for() -> None:
    """Every requirement is met or not ours; each is there once, with its proof."""
    report = report_of(PERFECT)
    assert report.state is State.OK
    assert report.failing == ()
    ids = [one.id for one in report.rows]
    assert len(set(ids)) == len(ids) == 37
    for one in report.rows:
        assert one.proof or one.state is State.NOT_APPLICABLE, one.id
        assert not one.gaps
    others = [one.id for one in report.rows if one.state is State.NOT_APPLICABLE]
    assert others == ["R13", "R14", "S3a", "S8a"]


@pytest.mark.parametrize(
    ("failing", "part", "changes"),
    [
        ("R5a", "link", {"linked": False}),
        ("R5b", "link", {"writable": False}),
        ("R5c", "rules", {"outcomes": {"missed": 9}}),
        ("R5c", "rules", {"outcomes": {"missed": 1, "opted_out": 2, "no_vehicle": 3}}),
        ("R7", "link", {"watchdog": False}),
        ("R7", "link", {"handed_over_allowed": False}),
        ("R7", "link", {"hand_over_allows": False}),
        ("R7", "link", {"fallback": None}),
        ("R7", "link", {"fallback": "inconclusive"}),
        ("R7", "link", {"fallback": "unmeasured"}),
        ("R7", "link", {"fallback": "failed"}),
        ("R9b", "measuring", {"sessions_damaged": True}),
        ("R9b", "measuring", {"sessions_unread": True}),
        ("R9c", "measuring", {"coverage": 0.98}),
        ("R9c", "measuring", {"coverage": 0.0}),
        ("R9c", "measuring", {"coverage": None}),
        ("R9c", "measuring", {"every_s": 10.0}),
        ("R9c", "measuring", {"refresh_s": 1.6}),
        ("R9c", "measuring", {"findings": ("measures_slowly",)}),
        ("R9d", "measuring", {"errors_pct": ()}),
        ("R9d", "measuring", {"findings": ("biased",)}),
        ("R9d", "measuring", {"findings": ("inaccurate", "coverage_low")}),
        ("R10a", "rules", {"first_choice": None}),
        ("R10a", "rules", {"in_peak": ("mon 08:00-09:00",)}),
        ("R10a", "rules", {"zone": "Europe/Vienna", "zone_deviates": True}),
        ("R10a", "rules", {"days_off_deviate": True}),
        ("R10c", "rules", {"hours": ()}),
        ("R11a", "rules", {"max_delay_s": 599}),
        ("R11a", "rules", {"plug_in_delayed": False}),
        ("R11a", "rules", {"delays_by": "nobody"}),
        ("R11a", "rules", {"delays_by": "aggregator"}),
        ("S2", "link", {"password_weak": True}),
        ("S3b", "link", {"newest_firmware": "16.0.0.1"}),
        ("S5", "link", {"tls": False}),
        ("S5", "link", {"verified": False}),
        ("S7b", "security", {"people_deletable": False}),
        ("S8b", "link", {"tamper_seen_by": ()}),
        ("S8b", "link", {"tampered": True}),
        ("S9", "link", {"user_is_admin": True}),
        ("S10", "security", {"log_broken": 3}),
        ("S10", "security", {"log_unread": True}),
    ],
)
def test_one_thing_is_missing(failing: str, part: str, changes: dict[str, Any]) -> None:
    """That row says so, and for Schedule 1 the regulation that points there."""
    report = report_of(changed(part, **changes))
    assert report.state is State.ATTENTION
    assert failing in report.failing
    expected = {failing, "R12"} if failing.startswith("S") else {failing}
    if "inaccurate" in changes.get("findings", ()):
        expected.add("R9c")
    assert set(report.failing) == expected


@pytest.mark.parametrize(
    ("source", "failing"),
    [
        (Source.MINISERVER, ("R9c", "R9d")),
        (Source.ESTIMATED, ("R9a", "R9c", "R9d")),
    ],
)
def test_without_a_meter(source: Source, failing: tuple[str, ...]) -> None:
    """Coarser figures are neither each second's nor checked; estimates not measured."""
    facts = replace(PERFECT, measuring=MeasuringFacts(source=source))
    assert report_of(facts).failing == failing


@pytest.mark.parametrize(
    "changes",
    [
        {"hours": (), "first_choice": "remove"},
        {"hours": (), "hours_decided": True},
        {"hours": (), "under_agreement": True, "first_choice": None},
        {"hours_on": False},
        {"delays_by": "miniserver", "exempt_since": "2027-01-01T12:00:00+00:00"},
        {"max_delay_s": 1800},
    ],
)
def test_what_the_owner_may_do(changes: dict[str, Any]) -> None:
    """The owner's right is no gap."""
    assert report_of(changed("rules", **changes)).state is State.OK


@pytest.mark.parametrize("profile", ["none", "de_14a"])
def test_where_the_regulations_do_not_hold(profile: str) -> None:
    """Nothing applies; what is seen is there all the same."""
    facts = replace(changed("link", tls=False), profile=profile)
    report = report_of(facts)
    assert report.state is State.NOT_APPLICABLE
    assert report.failing == ()
    assert {one.state for one in report.rows} == {State.NOT_APPLICABLE}
    assert any(one.proof for one in report.rows)


def test_a_demonstration() -> None:
    """It is never reported as anything else."""
    report = report_of(replace(PERFECT, demonstration=True))
    assert report.state is State.ATTENTION
    assert report.failing == ("DEMO",)


def test_the_distribution_of_draws() -> None:
    """Six equal parts from zero to the longest, with what became of each."""
    draws = draws_of(
        (draw(0), draw(99), draw(100), draw(600), draw(599, Outcome.SKIPPED)), 600
    )
    assert draws is not None
    assert (draws.count, draws.least_s, draws.mean_s, draws.most_s) == (
        5,
        0,
        279.6,
        600,
    )
    assert draws.parts == (2, 1, 0, 0, 0, 2)
    assert draws.outcomes == {"applied": 4, "skipped": 1}
    assert draws_of((), 600) is None
    exempt = replace(draw(0), drawn=False)
    assert draws_of((exempt,), 600) is None
    assert draws_of((exempt, draw(99)), 600) == draws_of((draw(99),), 600)
    again = (draw(99, Outcome.CANCELLED), draw(99))
    assert draws_of(again, 600) == draws_of((draw(99),), 600)
    zero = draws_of((draw(0),), 0)
    assert zero is not None
    assert zero.parts == (1, 0, 0, 0, 0, 0)
    longer = draws_of((draw(1500),), 600)
    assert longer is not None
    assert longer.parts == (0, 0, 0, 0, 0, 1)


def test_findings_exist() -> None:
    """The findings that speak against a meter are those that a meter has."""
    assert {one.value for one in FindingKind} >= WRONG_FIGURES | TOO_SELDOM


TEXTS = {language: load_texts(language)[1] for language in ("en", "de")}
FACTS = [
    PERFECT,
    replace(PERFECT, demonstration=True),
    replace(PERFECT, profile="none"),
    Facts(
        profile="gb_2021",
        profile_version=1,
        demonstration=False,
        link=LinkFacts(linked=False, writable=False, tls=False, verified=False),
        rules=RuleFacts(draws=draws_of((draw(7, Outcome.SKIPPED),), 600)),
        measuring=MeasuringFacts(source=Source.ESTIMATED),
        security=SecurityFacts(),
    ),
    *(
        changed("rules", delays_by=one)
        for one in ("miniserver", "aggregator", "nobody")
    ),
    *(changed("rules", first_choice=one) for one in ("change", "remove")),
    *(changed("rules", tariff=one) for one in ("time_of_use", "dynamic", None)),
    *(changed("link", tamper_policy=one) for one in ("stop", "keep")),
    changed("rules", outcomes=dict.fromkeys(("partial", "opted_out"), 1)),
    changed("rules", outcomes=dict.fromkeys(("missed", "no_vehicle"), 1)),
    changed("rules", in_peak=("x",), zone_deviates=True, days_off_deviate=True),
    changed("rules", max_delay_s=5, plug_in_delayed=False, hours_on=False),
    changed("rules", delays_by="miniserver", exempt_since="2027-01-01T12:00"),
    changed("rules", hours=(), under_agreement=True),
    changed("link", password_weak=True, password_kept=True, user_is_admin=True),
    changed("link", verified=False, tampered=True, hand_over_allows=False),
    changed("link", handed_over_allowed=False, fallback="failed"),
    changed("link", fallback="inconclusive", newest_firmware="17.0.3.31"),
    changed("link", fallback="unmeasured"),
    changed("link", newest_firmware=None, asks_for_firmware=True),
    changed("measuring", errors_pct=(), refresh_s=None, coverage=None),
    changed("measuring", refresh_s=5.0, sessions_damaged=True),
    changed("measuring", sessions_unread=True),
    changed("measuring", coverage=0.5, findings=("biased",), source=Source.METER),
    replace(PERFECT, measuring=MeasuringFacts(source=Source.MINISERVER)),
    changed("security", log_broken=3),
    changed("security", log_unread=True),
]
ABOUT = dict.fromkeys(
    (
        *("wallbox", "model", "miniserver", "version"),
        *("profile_name", "profile_version", "at"),
    ),
    "x",
)


@pytest.mark.parametrize("language", TEXTS)
def test_every_sentence_is_said(language: str) -> None:
    """No text is missing in a report, and none is there that no report says."""
    texts, said = TEXTS[language], set[str]()
    for facts in FACTS:
        report = report_of(facts)
        assert "{" not in markdown(report, texts, ABOUT)
        json.dumps(plain(report, texts))
        said |= {
            line.key
            for one in report.rows
            for line in (*one.proof, *one.gaps, *one.limits)
        }
        assert {one.id for one in report.rows} <= set(texts["requirements"])
    assert set(texts["lines"]) - said == set()


def test_numbers_are_written_as_in_the_language() -> None:
    """A comma in German, also below zero; versions and addresses stay as they are."""
    german, english = (
        markdown(report_of(PERFECT), TEXTS[one], ABOUT) for one in ("de", "en")
    )
    assert "12,5 kWh" in german
    assert "-0,9 %" in german
    assert "16.0.0.0" in german
    assert "https://example.org" in german
    assert "12.5 kWh" in english


def test_what_is_counted_has_a_name() -> None:
    """No two requirements count the same, and each says what it counts."""
    rows = {
        one["id"]: one["seen"] for one in plain(_report(), TEXTS["en"])["requirements"]
    }
    counted = {
        one: next(text for text in rows[one] if text.startswith("Records of "))
        for one in ("S3c", "S6", "S8b", "S8c")
    }
    assert len(set(counted.values())) == len(counted)
    assert counted["S8c"].endswith("refused actions and logins in the security log: 1.")


def test_languages_say_the_same() -> None:
    """Same keys, same order, same things filled in, in all languages that there are."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(TEXTS)
    english, german = (list(_flat(TEXTS[one])) for one in ("en", "de"))
    assert [key for key, _ in english] == [key for key, _ in german]
    for (key, one), (_, other) in zip(english, german, strict=True):
        assert set(re.findall(r"{\w+}", one)) == set(re.findall(r"{\w+}", other)), key
        assert one.strip()
        assert other.strip()


def _flat(node: Any, name: str = "") -> Any:
    """Yield each text by its key."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.{key}")
        else:
            yield f"{name}.{key}", value


@pytest.mark.parametrize(
    ("language", "found"),
    [("de", "de"), ("de-AT", "de"), ("en-GB", "en"), ("fr", "en"), ("../../x", "en")],
)
def test_language(language: str, found: str) -> None:
    """The nearest there is, else English."""
    assert load_texts(language)[0] == found


def test_a_name_is_no_mark_up() -> None:
    """What the owner or a Miniserver calls something begins no heading or link."""
    name = "Garage\n# Certificate [x](http://y) <b>"
    text = markdown(_report(), TEXTS["en"], {**ABOUT, "wallbox": name})
    assert text.splitlines()[0] == (
        "# Compliance report: Garage \\# Certificate \\[x\\](http://y) \\<b\\>"
    )


def test_it_is_no_certificate() -> None:
    """Whatever came of it, both forms say so first."""
    for texts in TEXTS.values():
        assert texts["disclaimer"] in markdown(_report(), texts, ABOUT)[:900]
        assert plain(_report(), texts)["disclaimer"] == texts["disclaimer"]
    assert "no certificate" in TEXTS["en"]["disclaimer"]


def _report() -> Report:
    """Return a report."""
    return report_of(PERFECT)
