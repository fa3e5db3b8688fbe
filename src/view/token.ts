/** The token: comes in the fragment, is taken out of the address at once, and lives as long as the tab. */
const place = "acp-sidecar-token";
const name = "token=";

/** Also the one that came before, in this tab. It stays where it is. */
export function tokenHere(): string | undefined {
  const token = partsOfAddress().find(isToken)?.slice(name.length);
  return token === undefined ? (sessionStorage.getItem(place) ?? undefined) : decoded(token);
}

/** The same, and no address has it any more. */
export function takeToken(): string | undefined {
  const token = tokenHere();
  const parts = partsOfAddress();
  if (token === undefined || !parts.some(isToken)) return token;
  const rest = parts.filter((part) => !isToken(part)).join("&");
  history.replaceState(null, "", rest === "" ? location.pathname : `#${rest}`);
  keepToken(token);
  return token;
}

/** It was put into the address of a page that is open. */
export function isTokenComing(): boolean {
  return partsOfAddress().some(isToken);
}

function partsOfAddress(): readonly string[] {
  return location.hash.replace(/^#/, "").split("&");
}

function isToken(part: string): boolean {
  return part.startsWith(name);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(place, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(place);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
