interface CardHelpers {
  createCardElement(
    config: Record<string, unknown>,
  ): HTMLElement & { preview?: boolean };
}

declare global {
  interface Window {
    loadCardHelpers?: () => Promise<CardHelpers>;
  }
}

/** Return Home Assistant's own card for what is set up wrongly. */
export async function errorCard(title: string, message: string): Promise<HTMLElement> {
  const helpers = await window.loadCardHelpers?.();
  if (helpers !== undefined) {
    const card = helpers.createCardElement({ type: "error", error: title, message });
    // Otherwise it keeps the message for those who edit the dashboard.
    card.preview = true;
    return card;
  }
  const plain = document.createElement("ha-alert");
  plain.setAttribute("alert-type", "error");
  plain.setAttribute("title", title);
  plain.textContent = message;
  return plain;
}
