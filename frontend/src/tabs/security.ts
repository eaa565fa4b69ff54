import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { sentenceOf } from "../calls";
import type { TextKey } from "../i18n";
import { en } from "../i18n/en";
import {
  KINDS,
  kindText,
  listRecords,
  type SecurityRecord,
  type Verdict,
  verifyLog,
} from "../model/security";
import { EndWatch, Pager } from "../pager";
import { commonStyles, listStyles } from "../styles";
import { dayAndTime } from "./history-words";
import { listEnd } from "./list-end";
import { define, WallboxElement } from "./tab";

const PAGE = 50;

/** The security log, and whether it is whole; for administrators. */
export class SecurityTab extends WallboxElement {
  static override properties = {
    ...WallboxElement.properties,
    kind: { state: true },
    open: { state: true },
    verdict: { state: true },
    verifying: { state: true },
    failure: { state: true },
  };

  static override styles = [
    commonStyles,
    listStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        gap: 12px;
        padding: 16px;
      }
      .verdict {
        margin: 0;
        padding: 8px 12px;
        border-left: 4px solid var(--lw-good);
        line-height: 1.4;
      }
      .verdict.broken {
        border-left-color: var(--lw-bad);
      }
      .verdict:empty {
        display: none;
      }
      .when {
        text-align: end;
      }
      .when,
      .outcome,
      .source {
        color: var(--lw-muted);
        font-size: 0.875rem;
      }
      .source {
        text-align: end;
      }
      .refused .kind::after {
        content: " •";
        color: var(--lw-bad);
      }
      .hash {
        font-family: var(--ha-font-family-code, monospace);
        font-size: 0.75rem;
      }
    `,
  ];

  private declare kind: string | undefined;
  private declare open: ReadonlySet<number>;
  private declare verdict: Verdict | undefined;
  private declare verifying: boolean;
  private declare failure: unknown;
  private asked = "";
  private stamp: string | undefined;
  private readonly pager = new Pager<SecurityRecord>(this, (one) => one.seq, PAGE);

  constructor() {
    super();
    new EndWatch(this, () => void this.pager.next());
    this.open = new Set();
    this.verifying = false;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { hass, wallbox, kind } = this;
    if (!hass.connected) return;
    const asked = JSON.stringify([wallbox.id, kind]);
    const stamp = wallbox.value("event.security");
    if (asked !== this.asked) {
      if (!this.asked.startsWith(`["${wallbox.id}"`)) this.verdict = undefined;
      void this.pager.begin((offset, limit) =>
        listRecords(this.hass, wallbox.id, kind, offset, limit),
      );
    } else if (stamp !== this.stamp) {
      void this.pager.refresh();
    }
    this.asked = asked;
    this.stamp = stamp;
  }

  protected override render(): TemplateResult {
    const { localize, pager, verifying } = this;
    return html`
      <div class="choices">
        <label>
          ${localize("security.kind")}
          <select @change=${this.kindChosen}>
            <option value="">${localize("security.all")}</option>
            ${KINDS.map(
              (kind) =>
                html`<option value=${kind}>${kindText(this.hass, kind)}</option>`,
            )}
          </select>
        </label>
      </div>
      <div class="head">
        <h2>${pager.total === undefined ? nothing : this.count(pager.total)}</h2>
        <button class="plain" ?disabled=${verifying} @click=${() => void this.verify()}>
          <ha-icon icon="mdi:shield-check-outline" aria-hidden="true"></ha-icon>
          ${localize(verifying ? "security.verifying" : "security.verify")}
        </button>
      </div>
      <p class="verdict ${this.verdict?.whole === false ? "broken" : ""}" role="status">${this.verdictText()}</p>
      ${
        this.failure === undefined
          ? nothing
          : html`<p class="error" role="alert">${sentenceOf(this.failure, localize)}</p>`
      }
      ${pager.total === 0 ? html`<p class="muted">${localize("security.none")}</p>` : nothing}
      <ul aria-label=${localize("security.list")} aria-busy=${pager.busy}>
        ${repeat(
          pager.items,
          (one) => one.seq,
          (one) => this.row(one),
        )}
        <li class="end">${listEnd(pager, localize)}</li>
      </ul>
    `;
  }

  private row(one: SecurityRecord): TemplateResult {
    const { hass } = this;
    const open = this.open.has(one.seq);
    const refused = one.outcome === "attempt_failed" ? "refused" : "";
    return html`
      <li class=${refused}>
        <details .open=${open} @toggle=${(event: Event) => this.toggled(event, one.seq)}>
          <summary>
            <span class="kind">${kindText(hass, one.kind)}</span>
            <span class="when">${dayAndTime(hass, one.utc)}</span>
            <span class="outcome">${this.word("security.outcome.", one.outcome)}</span>
            <span class="source">${this.source(one.source)}</span>
          </summary>
          ${open ? this.details(one) : nothing}
        </details>
      </li>
    `;
  }

  private details(one: SecurityRecord): TemplateResult {
    const { localize } = this;
    const rows = Object.entries(one.detail).map(([name, value]) => [
      name.replaceAll("_", " "),
      String(value),
    ]);
    return html`
      <dl>
        <div><dt>${localize("security.number")}</dt><dd>${one.seq}</dd></div>
        <div><dt>UTC</dt><dd>${one.utc}</dd></div>
        ${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}
      </dl>
      <dl class="whole">
        <div>
          <dt>${localize("security.hash")}</dt>
          <dd class="hash">${one.hash}</dd>
        </div>
      </dl>
    `;
  }

  private source(source: string): string {
    const [word = "", user] = source.split(":");
    if (word !== "ha_user") return this.word("security.source.", word);
    if (user === "deleted") return this.localize("security.source.deleted");
    return this.localize("security.source.ha_user", { user: user ?? "" });
  }

  private word(
    section: "security.outcome." | "security.source.",
    word: string,
  ): string {
    const key = `${section}${word}`;
    // A word of a later version is shown as it is.
    return key in en ? this.localize(key as TextKey) : word;
  }

  private count(records: number): string {
    return records === 1
      ? this.localize("security.count_one")
      : this.localize("security.count", { count: records });
  }

  private verdictText(): string {
    const { verdict, localize } = this;
    if (verdict === undefined) return "";
    return verdict.whole
      ? localize("security.whole", { records: this.count(verdict.records) })
      : localize("security.broken", { record: verdict.broken_seq ?? "?" });
  }

  private toggled(event: Event, seq: number): void {
    const open = new Set(this.open);
    if ((event.target as HTMLDetailsElement).open) open.add(seq);
    else open.delete(seq);
    this.open = open;
  }

  private async verify(): Promise<void> {
    this.verifying = true;
    this.failure = undefined;
    this.verdict = undefined;
    try {
      this.verdict = await verifyLog(this.hass, this.wallbox.id);
    } catch (error) {
      this.failure = error;
    }
    this.verifying = false;
  }

  private readonly kindChosen = (event: Event): void => {
    const { value } = event.target as HTMLSelectElement;
    this.kind = value === "" ? undefined : value;
  };
}

define("loxone-wallbox-security", SecurityTab);
