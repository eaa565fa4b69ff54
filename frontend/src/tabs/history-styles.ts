import { css } from "lit";

/** A session in the list, closed and open. */
export const sessionStyles = css`
  .energy {
    font-weight: 500;
    text-align: end;
  }
  .energy,
  .cost,
  td {
    font-variant-numeric: tabular-nums;
    white-space: nowrap;
  }
  .who,
  .cost {
    color: var(--lw-muted);
    font-size: 0.875rem;
  }
  .cost {
    grid-column: 2;
    text-align: end;
  }
  .who {
    grid-column: 1;
    overflow-wrap: anywhere;
  }
  table {
    width: 100%;
    margin: 0 0 12px;
    border-collapse: collapse;
    font-size: 0.875rem;
  }
  caption {
    padding: 4px;
    color: var(--lw-muted);
    text-align: start;
  }
  th,
  td {
    padding: 4px;
    text-align: end;
  }
  th {
    color: var(--lw-muted);
    font-weight: 400;
  }
  th:first-child,
  td:first-child {
    text-align: start;
    white-space: normal;
  }
  .mark {
    margin-inline-start: 4px;
    padding: 0 4px;
    border: 1px solid var(--lw-line);
    border-radius: 4px;
    font-size: 0.75rem;
  }
`;
