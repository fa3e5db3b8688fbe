/** Failures as JSON-RPC has them. */
import rpc from "vscode-jsonrpc";
import { SidecarError } from "../base/errors.ts";

/** A peer's refusal: its code, its message, its data. */
export const RpcError = rpc.ResponseError;
export type RpcError = InstanceType<typeof RpcError<unknown>>;

/** Whether `error` is what a peer answered, and, when a code is given, that one. */
export function isRpcError(error: unknown, code?: number): error is RpcError {
  return error instanceof RpcError && (code === undefined || error.code === code);
}

/** What a failure looks like on the wire. Unknown errors say nothing of themselves: they may quote content. */
export function toRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const named =
    error instanceof SidecarError
      ? error
      : new SidecarError("INTERNAL", "Internal error of acp-sidecar; see its log");
  return new RpcError<unknown>(named.rpcCode, named.message, { code: named.code, ...named.data });
}

/** The failure that an answer brought; what it lacks is filled in. */
export function receivedError({ code, message, data }: Readonly<Record<string, unknown>>): RpcError {
  const number = typeof code === "number" ? code : rpc.ErrorCodes.UnknownErrorCode;
  return new RpcError<unknown>(number, typeof message === "string" ? message : "", data);
}
