/** The URL of a store on a server. */
import { SidecarError } from "../../base/errors.ts";

/** @param of whose URL it is, for people. Errors: `CONFIG_INVALID`. */
export function serverUrl(of: string, text: string, schemes: readonly string[], advice: string): URL {
  // The error of URL is not passed on as a cause: it holds the text, and with it the password.
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && schemes.includes(url.protocol.slice(0, -1))) return url;
  throw unusable(of, advice);
}

export function unusable(of: string, advice: string): SidecarError {
  return new SidecarError("CONFIG_INVALID", `The store URL is no ${of} URL that we can use: ${advice}`);
}
