"""The rows of Schedule 1, security.

Takes the facts of a wallbox, gives rows by the numbers of their paragraphs.
"""

from collections.abc import Iterator

from ..miniserver.releases import is_newer
from .compliance import Line, Row, elsewhere, line, row, when
from .compliance_facts import Facts, LinkFacts


def schedule_rows(facts: Facts) -> Iterator[Row]:
    """Yield Schedule 1."""
    yield row("S1", proof=[line("grid_spared"), line("few_data")])
    yield from _credentials(facts)
    yield from _communication(facts)
    yield from _people(facts)
    yield from _attack(facts)
    yield _log(facts)
    yield row(
        "S11",
        proof=[
            line("support_until", day=facts.security.support_until),
            line("report_at", address=facts.security.report_at),
        ],
    )


def _credentials(facts: Facts) -> Iterator[Row]:
    """Yield paragraphs 2 to 4: passwords, software, sensitive parameters."""
    link = facts.link
    yield row(
        "S2",
        proof=[line("own_login")],
        gaps=[when(link.password_weak, "gap_password")],
        limits=[line("password_unknown")] if link.password_weak is None else [],
    )
    yield elsewhere("S3a", line("update_of_the_miniserver"))
    yield _firmware(link)
    changes = _count(
        facts, "identity", "firmware_changed", "identity_changed", "tls_changed"
    )
    yield row(
        "S3c",
        proof=[line("changes_watched"), *changes],
        limits=[line("secure_boot_unseen")],
    )
    kept = "password_kept" if link.password_kept else "token_only"
    yield row("S4", proof=[line(kept), line("no_secret_in_code")])


def _firmware(link: LinkFacts) -> Row:
    """Return whether the newest firmware runs, as far as anybody was asked for it."""
    proof, newest = [line("firmware", version=link.firmware)], link.newest_firmware
    if newest is None:
        unknown = "newest_unknown" if link.asks_for_firmware else "nobody_asked"
        return row("S3b", proof=proof, limits=[line(unknown)])
    newer = is_newer(newest, link.firmware)
    return row(
        "S3b",
        proof=[*proof, line("firmware_newest", version=newest)],
        gaps=[when(newer, "gap_firmware", version=newest)],
    )


def _communication(facts: Facts) -> Iterator[Row]:
    """Yield paragraphs 5 and 6: what is sent and what is taken."""
    link = facts.link
    yield row(
        "S5",
        proof=[line("sent_by_tls") if link.tls else line("commands_encrypted")],
        gaps=[
            when(not link.tls, "gap_plain_text"),
            when(link.tls and not link.verified, "gap_unverified"),
        ],
        limits=[line("air_and_tree")],
    )
    yield row(
        "S6", proof=[line("inputs_checked"), *_count(facts, "inputs", "invalid_input")]
    )


def _people(facts: Facts) -> Iterator[Row]:
    """Yield paragraph 7: ease of use and personal data."""
    yield row("S7a", proof=[line("setup_short")])
    deletable = facts.security.people_deletable
    yield row(
        "S7b",
        proof=[line("pseudonyms"), *([line("people_deletable")] if deletable else [])],
        gaps=[when(not deletable, "gap_people")],
    )


def _attack(facts: Facts) -> Iterator[Row]:
    """Yield paragraphs 8 and 9: protection against attack."""
    link = facts.link
    yield elsewhere("S8a", line("housing"))
    policy = line(f"tamper_{link.tamper_policy}") if link.tamper_policy else None
    yield row(
        "S8b",
        proof=[
            *(line(f"tamper_by_{one}") for one in link.tamper_seen_by),
            *([] if policy is None else [policy]),
            *_count(facts, "tamper", "tamper_on", "meter_link_lost"),
        ],
        gaps=[
            when(not link.tamper_seen_by, "gap_tamper_unseen"),
            when(link.tampered, "gap_tampered"),
        ],
        limits=[line("case_unseen")],
    )
    yield row(
        "S8c",
        proof=[
            line("rights"),
            *_count(facts, "refused", "action_denied", "auth_failed"),
        ],
    )
    yield row(
        "S9",
        proof=[line("least_rights")],
        gaps=[when(link.user_is_admin, "gap_administrator")],
    )


def _log(facts: Facts) -> Row:
    """Return paragraph 10: the security log."""
    security = facts.security
    proof = [line("log_is")]
    if security.log_records is not None and security.log_broken is None:
        proof.append(line("log_whole", count=security.log_records))
    broken = security.log_broken
    return row(
        "S10",
        proof=proof,
        gaps=[
            when(broken is not None, "gap_log_broken", record=broken or 0),
            when(security.log_unread, "gap_log_unread"),
        ],
    )


def _count(facts: Facts, what: str, *kinds: str) -> list[Line]:
    """Return how many records there are of some kinds, nothing where nobody counted.

    `what` names the kinds in the sentence.
    """
    recorded = facts.security.recorded
    if not recorded and facts.security.log_records is None:
        return []
    total = sum(recorded.get(one, 0) for one in kinds)
    return [line(f"recorded_{what}", count=total)]
