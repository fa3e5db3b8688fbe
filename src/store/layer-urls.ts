/** The URLs of layers within a store's URL, and errors that say which layer they are about. */
import { isSidecarError, SidecarError } from "../base/errors.ts";

/** The URLs in `["cache:","sqlite:PATH"]`. Errors: `CONFIG_INVALID`. */
export function urlsIn(text: string): readonly string[] {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    found = undefined;
  }
  if (Array.isArray(found) && found.length >= 2 && found.every((each) => typeof each === "string"))
    return found;
  throw new SidecarError(
    "CONFIG_INVALID",
    `A layered store's URL is layered:["URL","URL"] with two or more, the fastest first`,
  );
}

/** @param at from 0; people count from 1 */
export function ofLayer(at: number, error: unknown): unknown {
  if (!isSidecarError(error)) return error;
  const { code, message, data, cause } = error;
  const layer = at + 1;
  return new SidecarError(code, `Layer ${layer} of the store: ${message}`, {
    data: { ...data, layer },
    cause,
  });
}
