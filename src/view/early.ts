/**
 * What is asked for before the page is read to its end (first.ts): it comes while the rest is parsed, and whoever asks for
 * the same a moment later has it. It stands at the element of the script that has asked.
 */

import { byId } from "./elements.ts";

/** Of the list, sessions in a page. */
export const pageSize = 60;

/** First what is told from now on, so that nothing falls between it and the list. */
const paths = ["/api/events", `/api/sessions?limit=${pageSize}&archived=exclude`];

interface Early {
  readonly token: string;
  readonly response: Promise<Response>;
  readonly ending: AbortController;
}

interface Asking extends HTMLElement {
  asked?: Map<string, Early>;
}

export function askEarly(at: HTMLElement, token: string): void {
  const asked = new Map<string, Early>();
  for (const path of paths) {
    const ending = new AbortController();
    const response = fetch(path, { ...asGuest(token), signal: ending.signal });
    // Who takes it is told; nobody may.
    response.catch(() => undefined);
    asked.set(path, { token, response, ending });
  }
  (at as Asking).asked = asked;
}

/** The answer that is on its way, once; undefined where there is none. @param signal as for `fetch` */
export function takeEarly(path: string, token: string, signal?: AbortSignal): Promise<Response> | undefined {
  const asked = earlier();
  const early = asked?.get(path);
  if (early === undefined || early.token !== token) return undefined;
  asked?.delete(path);
  if (signal?.aborted === true) early.ending.abort();
  signal?.addEventListener("abort", () => early.ending.abort(), { once: true });
  return early.response;
}

/** What nobody has taken is not waited for. */
export function dropEarly(): void {
  const asked = earlier();
  for (const { ending } of asked?.values() ?? []) ending.abort();
  asked?.clear();
}

/** How whoever has a token asks for anything. */
export function asGuest(token: string) {
  return {
    headers: { authorization: `Bearer ${token}` },
    credentials: "omit",
    referrerPolicy: "no-referrer",
  } as const;
}

function earlier(): Asking["asked"] {
  return byId<Asking>("first").asked;
}
