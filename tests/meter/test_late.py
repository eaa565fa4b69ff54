"""Which answers are waited for, and for how long."""

from custom_components.loxone_wallbox.meter.late import LateAnswers

LATE_S = 3.0


def on_rtu(*, outlives_drop: bool = False) -> LateAnswers:
    """Return the bookkeeping of a link whose answers have no numbers."""
    return LateAnswers(numbered=False, outlives_drop=outlives_drop, late_s=LATE_S)


def test_nothing_at_first() -> None:
    """Nothing is awaited before anything was given up."""
    late = on_rtu()
    assert not late
    assert late.quiet(0.0)
    assert not late.could_be(4)


def test_an_open_link_waits() -> None:
    """Nothing may be asked for a while after the last request was given up."""
    late = on_rtu()
    late.give_up(4, 10.0)
    late.give_up(6, 11.0)
    assert late
    assert [late.quiet(now) for now in (11.0, 13.9, 14.0)] == [False, False, True]
    assert [late.could_be(count) for count in (4, 5, 6)] == [True, False, True]


def test_a_drop_ends_the_wait() -> None:
    """What was under way on a network goes with the connection; lengths stay."""
    late = on_rtu()
    late.give_up(4, 10.0)
    late.drop()
    assert late.quiet(10.0)
    assert late.could_be(4)
    late.give_up(6, 11.0)
    assert not late.quiet(11.0)


def test_a_serial_port_waits_all_the_same() -> None:
    """What comes in at a port that was opened again is read."""
    late = on_rtu(outlives_drop=True)
    late.give_up(4, 10.0)
    late.drop()
    assert [late.quiet(now) for now in (12.9, 13.0)] == [False, True]


def test_numbers_need_no_wait() -> None:
    """Numbered answers are told apart, but for those behind a gateway."""
    late = LateAnswers(numbered=True, outlives_drop=False, late_s=LATE_S)
    late.give_up(4, 10.0)
    assert late.quiet(10.0)
    assert late.could_be(4)


def test_proof_clears() -> None:
    """An answer that cannot be an old one ends all doubt."""
    late = on_rtu()
    late.give_up(4, 10.0)
    late.doubt(6, 10.0)
    late.clear()
    assert not late
    assert not late.could_be(6)


def test_doubt_does_not_wait() -> None:
    """A refusal that may be an old one is doubted without a new wait."""
    late = on_rtu()
    late.doubt(4, 10.0)
    assert late.quiet(10.0)
    assert late.could_be(4)


def test_old_ones_are_forgotten_only_after_a_drop() -> None:
    """An open link may hold an answer back for as long as it likes."""
    late = on_rtu()
    late.give_up(4, 10.0)
    late.forget_old(1000.0)
    assert late.could_be(4)
    late.doubt(6, 1000.0)
    late.drop()
    late.forget_old(1001.0)
    assert not late.could_be(4)
    assert late.could_be(6)
    late.forget_old(1003.0)
    assert not late
