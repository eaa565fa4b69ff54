"""Tell the owner what is wrong with a meter, and take it back when it is over."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .meter.charging_coverage import Cause
from .meter.counter import Question
from .meter.findings import Finding, FindingKind

# The counter went back or jumped: only the owner knows why.
BREAKS = frozenset(
    {
        FindingKind.METER_REPLACED,
        FindingKind.METER_RESET,
        FindingKind.METER_JUMPED,
    }
)
# What lasts as long as it is seen.
LASTING = frozenset(
    {
        FindingKind.WIRING_INVERTED,
        FindingKind.PHASES_DISAGREE,
        FindingKind.APPARENT_POWER_DISAGREES,
        FindingKind.POWER_HIGH,
        FindingKind.SAMPLES_REJECTED,
        FindingKind.COUNTER_STUCK,
        FindingKind.INACCURATE,
        FindingKind.BIASED,
        FindingKind.MEASURES_SLOWLY,
        FindingKind.COVERAGE_LOW,
    }
)
# What to do about missing readings depends on what keeps them away.
COVERAGE_TEXTS = {
    Cause.GATEWAY: "coverage_low_gateway",
    Cause.METER: "coverage_low_meter",
    Cause.ANSWERS: "coverage_low_answers",
    Cause.SLOW: "coverage_low_slow",
    Cause.BUSY: "coverage_low_busy",
}
# The figures that texts mention, and from which change on an owner cares. What changes
# by less is not told anew: it would each minute.
FOLLOWED = {
    "error_pct": 0.5,
    "measured_pct": 1.0,
    "refresh_s": 0.1,
    "counted_kwh": 1.0,
    "integrated_kwh": 1.0,
}


class MeterRepairs:
    """The repairs of one wallbox's meter."""

    def __init__(self, hass: HomeAssistant, subentry_id: str, title: str) -> None:
        """Take the wallbox."""
        self._hass = hass
        self._subentry_id = subentry_id
        self._title = title
        # What is raised, with the figures that were told last.
        self._raised: dict[FindingKind, Finding] = {}

    @callback
    def broke(self, finding: Finding) -> None:
        """Ask what happened to a counter, or withdraw the question."""
        issue_id = break_issue(self._subentry_id)
        if finding.kind not in BREAKS:
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=True,
            # It is asked anew after a restart. Kept, it would be in each diagnostics
            # file, serial numbers and all.
            is_persistent=False,
            data={"subentry_id": self._subentry_id},
            severity=ir.IssueSeverity.WARNING,
            translation_key="meter_break",
            translation_placeholders={
                "wallbox": self._title,
                **{name: str(value) for name, value in finding.data.items()},
            },
        )

    @callback
    def asked(self, question: Question | None) -> None:
        """Ask what was not answered before a restart; else nothing is left to ask."""
        if question is None:
            ir.async_delete_issue(self._hass, DOMAIN, break_issue(self._subentry_id))
        else:
            self.broke(question.finding)

    @callback
    def last(self, findings: tuple[Finding, ...]) -> None:
        """Raise what is wrong now and clear what is over."""
        now = {one.kind: one for one in findings if one.kind in LASTING}
        for kind in set(self._raised) - set(now):
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(kind))
            del self._raised[kind]
        for kind, finding in now.items():
            told = self._raised.get(kind)
            if told is None or _is_news(told, finding):
                self._raise(finding)

    @callback
    def _raise(self, finding: Finding) -> None:
        """Tell what is wrong; what the owner ignores stays ignored."""
        self._raised[finding.kind] = finding
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue_id(finding.kind),
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key=_text(finding),
            translation_placeholders={
                "wallbox": self._title,
                **{name: str(value) for name, value in finding.data.items()},
            },
        )

    @callback
    def clear(self) -> None:
        """Take back what lasts; a question stays until it is answered."""
        self.last(())

    def _issue_id(self, kind: FindingKind) -> str:
        """Return the id of a repair."""
        return f"{kind.value}_{self._subentry_id}"


def _text(finding: Finding) -> str:
    """Return the translation key of what is wrong."""
    if finding.kind is FindingKind.COVERAGE_LOW:
        return COVERAGE_TEXTS[Cause(str(finding.data["cause"]))]
    return finding.kind.value


def _is_news(told: Finding, now: Finding) -> bool:
    """Tell whether a finding has another text, or figures that an owner cares about."""
    if _text(told) != _text(now):
        return True
    return any(
        abs(float(now.data[name]) - float(told.data[name])) >= step
        for name, step in FOLLOWED.items()
        if name in now.data and name in told.data
    )


def break_issue(subentry_id: str) -> str:
    """Return the id of the question what happened to a meter."""
    return f"meter_break_{subentry_id}"
