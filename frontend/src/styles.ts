import { css } from "lit";

/** What all parts of the card look like; colours are those of the theme. */
export const commonStyles = css`
  :host {
    --lw-accent: var(--primary-color);
    --lw-muted: var(--secondary-text-color);
    --lw-line: var(--divider-color);
    --lw-good: var(--success-color, #43a047);
    --lw-warn: var(--warning-color, #ffa600);
    --lw-bad: var(--error-color, #db4437);
    color: var(--primary-text-color);
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  button {
    font: inherit;
    color: inherit;
    cursor: pointer;
  }
  :focus-visible {
    outline: 2px solid var(--lw-accent);
    outline-offset: 2px;
  }
  /* For a screen reader alone. */
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: 0;
    overflow: hidden;
    clip-path: inset(50%);
  }
  .sentence {
    margin: 0;
    padding: 16px;
    line-height: 1.5;
  }
  .error {
    margin: 0;
    padding: 8px 12px;
    border-left: 4px solid var(--lw-bad);
    line-height: 1.4;
  }
`;

export const cardStyles = [
  commonStyles,
  css`
    ha-card {
      display: block;
      overflow: hidden;
    }
    .title {
      margin: 0;
      padding: 16px 16px 0;
      font-size: 1.25rem;
      font-weight: 500;
      line-height: 1.3;
      overflow-wrap: anywhere;
    }
    .tabs {
      container-type: inline-size;
      display: flex;
      gap: 4px;
      margin: 8px 8px 0;
      border-bottom: 1px solid var(--lw-line);
    }
    .tabs button {
      display: flex;
      flex: 1 1 0;
      min-width: 0;
      align-items: center;
      justify-content: center;
      gap: 8px;
      min-height: 44px;
      padding: 0 8px;
      border: none;
      border-bottom: 2px solid transparent;
      background: none;
      color: var(--lw-muted);
    }
    .tabs button[aria-selected="true"] {
      border-bottom-color: var(--lw-accent);
      color: var(--primary-text-color);
    }
    .tabs span {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    @container (max-width: 380px) {
      .tabs button {
        flex-direction: column;
        gap: 0;
        padding: 4px 2px;
        font-size: 0.875rem;
      }
      .tabs span {
        max-width: 100%;
      }
    }
  `,
];

/** A list that scrolls in itself, with what belongs to it above. */
export const listStyles = css`
  .head {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    justify-content: space-between;
    gap: 4px 12px;
  }
  h2 {
    margin: 0;
    font-size: 1rem;
    font-weight: 500;
  }
  .plain {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: 44px;
    padding: 0 12px;
    border: 1px solid var(--lw-line);
    border-radius: 8px;
    background: none;
  }
  .plain:disabled {
    cursor: default;
    opacity: 0.5;
  }
  ul {
    max-height: 440px;
    margin: 8px 0 0;
    padding: 0;
    overflow-y: auto;
    list-style: none;
  }
  li + li {
    border-top: 1px solid var(--lw-line);
  }
  summary {
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 2px 12px;
    min-height: 44px;
    padding: 8px 4px;
    align-content: center;
    cursor: pointer;
    list-style: none;
  }
  summary::-webkit-details-marker {
    display: none;
  }
  summary > * {
    overflow-wrap: anywhere;
  }
  .end {
    text-align: center;
  }
  .end:empty {
    display: none;
  }
  .muted {
    margin: 0;
    padding: 12px 4px;
    color: var(--lw-muted);
  }
  dl {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(140px, 1fr));
    gap: 8px 12px;
    margin: 4px 4px 12px;
  }
  dt {
    color: var(--lw-muted);
    font-size: 0.875rem;
  }
  dd {
    margin: 0;
    overflow-wrap: anywhere;
  }
  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 12px;
  }
  .choices label {
    display: flex;
    flex: 1 1 140px;
    flex-direction: column;
    gap: 4px;
    min-width: 0;
    color: var(--lw-muted);
    font-size: 0.875rem;
  }
  select {
    min-height: 44px;
    padding: 0 8px;
    border: 1px solid var(--lw-line);
    border-radius: 8px;
    background: var(--card-background-color);
    color: var(--primary-text-color);
    font: inherit;
    font-size: 1rem;
  }
`;
