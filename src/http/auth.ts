/** Who is asking: the bearer token of a request, and nothing else. */
import { SidecarError } from "../base/errors.ts";
import { holdsToken } from "../base/token-form.ts";
import type { Guest } from "./guest.ts";
import type { Guests } from "./guests.ts";
import { Refusal } from "./problems.ts";

/** Errors: 400 for a token in the URL, `TOKEN_INVALID`. @param source where the request comes from */
export async function guestOf(request: Request, guests: Guests, source: string): Promise<Guest> {
  const [, secret] = /^Bearer +(\S{1,200})$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  if (secret === undefined) {
    const error = new SidecarError(
      "TOKEN_INVALID",
      "Say who you are: send Authorization: Bearer TOKEN; acp-sidecar token create makes one",
    );
    await guests.refused(source, error);
    throw error;
  }
  return guests.with(secret, source, request);
}

/** It stands in logs and histories wherever the URL went. */
export function assertNoTokenIn(url: string): void {
  if (!holdsToken(decoded(url))) return;
  throw new Refusal(
    400,
    "A token never stands in a URL, where logs and histories keep it: revoke this one, and send another as Authorization: Bearer TOKEN",
    { code: "TOKEN_INVALID" },
  );
}

function decoded(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
