/** The token: comes in the fragment, is taken out of the address at once, and lives as long as the tab. */
const place = "acp-sidecar-token";

/** Also the one that came before, in this tab. */
export function takeToken(): string | undefined {
  const parts = location.hash.replace(/^#/, "").split("&");
  const token = parts.find((part) => part.startsWith("token="))?.slice("token=".length);
  if (token === undefined) return sessionStorage.getItem(place) ?? undefined;
  const rest = parts.filter((part) => !part.startsWith("token=")).join("&");
  history.replaceState(null, "", rest === "" ? location.pathname : `#${rest}`);
  keepToken(decoded(token));
  return decoded(token);
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
