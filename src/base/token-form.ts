/** How a token of ours looks: 256 random bits behind a sign by which it is known wherever it should not be. */

const sign = "acps_";
const form = /^acps_[A-Za-z0-9_-]{43}$/;

export function tokenOf(bytes: Uint8Array): string {
  return sign + Buffer.from(bytes).toString("base64url");
}

export function isTokenForm(text: string): boolean {
  return form.test(text);
}

/** Whether one stands in a text, or in one of a list of texts. */
export function holdsToken(value: unknown): boolean {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return texts.some((text) => typeof text === "string" && /acps_[A-Za-z0-9_-]{43}/.test(text));
}
