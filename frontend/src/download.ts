// A table program takes a file for UTF-8 only if it begins like this.
const BYTE_ORDER_MARK = "\ufeff";

/** Let the person save a table as a file. */
export function saveTable(name: string, text: string): void {
  const blob = new Blob([BYTE_ORDER_MARK, text], { type: "text/csv;charset=utf-8" });
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  // A link outside of the page is not followed by every browser.
  document.body.append(link);
  link.click();
  link.remove();
  // Not at once: an app that shows the page reads the blob after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Return a name that every file system takes. */
export function fileName(...parts: string[]): string {
  return parts
    .map((part) => part.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, ""))
    .filter((part) => part !== "")
    .join("_");
}
