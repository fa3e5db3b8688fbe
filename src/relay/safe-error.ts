/** Errors as they leave: told in the words of an editor, and what an agent says in them may quote secrets that it was given. */
import { isSidecarError, SidecarError } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import type { Secrets } from "../base/secrets.ts";
import { isRpcError, RpcError } from "../rpc/errors.ts";
import { withWaysOut } from "../session/ways-out.ts";
import type { RelayContext } from "./context.ts";

/** As the client is to have it. */
export function asTold({ options, secrets }: RelayContext, error: unknown): unknown {
  const { front = "editor" } = options;
  if (front !== "editor" || !isSidecarError(error)) return withoutSecrets(secrets, error);
  const { code, message, data, cause } = error;
  const told = withWaysOut(error, front);
  return withoutSecrets(secrets, told === message ? error : new SidecarError(code, told, { data, cause }));
}

/** The error itself where it quotes none. */
export function withoutSecrets(secrets: Secrets, error: unknown): unknown {
  if (!(error instanceof SidecarError) && !isRpcError(error)) return error;
  const message = secrets.hide(error.message);
  const data = hiddenIn(secrets, error.data);
  if (message === error.message && data === error.data) return error;
  if (!(error instanceof SidecarError)) return new RpcError<unknown>(error.code, message, data);
  return new SidecarError(error.code, message, { ...(isRecord(data) && { data }), cause: error.cause });
}

function hiddenIn(secrets: Secrets, data: unknown): unknown {
  let isChanged = false;
  const hide = (_key: string, value: unknown): unknown => {
    if (typeof value !== "string") return value;
    const safe = secrets.hide(value);
    isChanged ||= safe !== value;
    return safe;
  };
  try {
    const text = JSON.stringify({ data }, hide);
    return isChanged ? (JSON.parse(text) as { readonly data?: unknown }).data : data;
  } catch {
    // Nested too deep to be written: nobody could send it either.
    return undefined;
  }
}
