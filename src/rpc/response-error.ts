/** Failures as JSON-RPC has them. */
import rpc from "vscode-jsonrpc/node";
import { SidecarError } from "../base/errors.ts";

const { ErrorCodes, ResponseError } = rpc;

/** What a failure looks like on the wire. Unknown errors say nothing of themselves: they may quote content. */
export function toResponseError(error: unknown): InstanceType<typeof ResponseError> {
  if (error instanceof ResponseError) return error;
  const named =
    error instanceof SidecarError
      ? error
      : new SidecarError("INTERNAL", "Internal error of acp-sidecar; see its log");
  return new ResponseError<unknown>(named.rpcCode, named.message, {
    code: named.code,
    ...named.data,
  });
}

/** Of vscode-jsonrpc itself, not of the peer. */
export function isLocalFailure(error: unknown): boolean {
  if (error instanceof rpc.ConnectionError) return true;
  if (!(error instanceof ResponseError)) return false;
  const code: number = error.code;
  return code === ErrorCodes.PendingResponseRejected || code === ErrorCodes.MessageWriteError;
}
