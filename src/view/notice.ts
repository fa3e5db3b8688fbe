/** What the page says of what it did: for a moment, and to whoever listens to it. */
import { ApiError } from "./api.ts";
import { byId } from "./elements.ts";

const shownMs = 5000;
let hiding: ReturnType<typeof setTimeout> | undefined;

export function say(text: string, isBad = false): void {
  const notice = byId("notice");
  notice.textContent = text;
  notice.className = isBad ? "bad" : "";
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => (notice.hidden = true), isBad ? 2 * shownMs : shownMs);
}

/** For an act of the user: what fails is said. */
export function failed(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  // The page asks for another token, and says why.
  if (error instanceof ApiError && error.status === 401) return;
  say(error instanceof Error ? error.message : String(error), true);
}
