import { html, nothing, type TemplateResult } from "lit";
import { sentenceOf } from "../calls";
import type { Localize } from "../i18n";
import type { Pager } from "../pager";

/** Return what stands below the last item: more, a wait, or what went wrong. */
export function listEnd<T>(
  pager: Pager<T>,
  localize: Localize,
): TemplateResult | typeof nothing {
  const next = () => void pager.next();
  if (pager.error !== undefined) {
    return html`
      <p class="error" role="alert">${sentenceOf(pager.error, localize)}</p>
      <button class="plain" @click=${next}>${localize("list.again")}</button>
    `;
  }
  if (pager.busy) return html`<p class="muted">${localize("list.loading")}</p>`;
  if (!pager.more) return nothing;
  // `data-end` is what `EndWatch` looks for; keys and screen readers press it.
  return html`
    <button class="plain" data-end @click=${next}>${localize("list.more")}</button>
  `;
}
