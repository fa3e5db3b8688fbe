/** What a failed opening of a store tells: one line, without the password. */
import { expect } from "vitest";
import { isSidecarError, type SidecarError } from "../../src/base/errors.ts";
import type { Store } from "../../src/store/contract.ts";

export const password = "s3cret-word";

export async function refusalOf(opening: Promise<Store>): Promise<SidecarError> {
  const error: unknown = await opening.then(
    (store) => store.close().then(() => "opened"),
    (reason: unknown) => reason,
  );
  if (!isSidecarError(error)) throw new Error(`not our error: ${String(error)}`, { cause: error });
  const { cause } = error;
  const parts = [
    error.message,
    error.stack,
    JSON.stringify(error),
    cause,
    (cause as Error | undefined)?.stack,
  ];
  expect(parts.map(String).join("\n") + JSON.stringify(cause ?? "")).not.toContain(password);
  expect(error.message).not.toContain("\n");
  return error;
}
