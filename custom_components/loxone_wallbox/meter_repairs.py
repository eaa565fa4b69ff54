"""Tell the owner what is wrong with a meter, and take it back when it is over."""

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
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
    }
)


class MeterRepairs:
    """The repairs of one wallbox's meter."""

    def __init__(self, hass: HomeAssistant, subentry_id: str, title: str) -> None:
        """Take the wallbox."""
        self._hass = hass
        self._subentry_id = subentry_id
        self._title = title
        self._raised: frozenset[FindingKind] = frozenset()

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
        if self._raised == frozenset(now):
            return
        for kind in LASTING - set(now):
            ir.async_delete_issue(self._hass, DOMAIN, self._issue_id(kind))
        for kind in set(now) - self._raised:
            ir.async_create_issue(
                self._hass,
                DOMAIN,
                self._issue_id(kind),
                is_fixable=False,
                severity=ir.IssueSeverity.WARNING,
                translation_key=kind.value,
                translation_placeholders={
                    "wallbox": self._title,
                    **{name: str(value) for name, value in now[kind].data.items()},
                },
            )
        self._raised = frozenset(now)

    @callback
    def clear(self) -> None:
        """Take back what lasts; a question stays until it is answered."""
        self.last(())

    def _issue_id(self, kind: FindingKind) -> str:
        """Return the id of a repair."""
        return f"{kind.value}_{self._subentry_id}"


def break_issue(subentry_id: str) -> str:
    """Return the id of the question what happened to a meter."""
    return f"meter_break_{subentry_id}"
