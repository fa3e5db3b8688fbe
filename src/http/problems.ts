/** How failures are told over HTTP: `application/problem+json` (RFC 9457) with our codes, each with its status. */
import { isSidecarError, SidecarError, type ErrorCode, type ErrorData } from "../base/errors.ts";
import { withWaysOut } from "../session/ways-out.ts";
import { responseOf } from "./response.ts";

/** All of `ErrorCode`, or this does not compile. */
const statuses: Readonly<Record<ErrorCode, number>> = {
  PARSE_ERROR: 400,
  INVALID_REQUEST: 400,
  NOT_INITIALIZED: 500,
  MESSAGE_TOO_LARGE: 413,
  INVALID_PARAMS: 400,
  INVALID_CURSOR: 400,
  INVALID_QUERY: 400,
  CWD_MISMATCH: 409,
  METHOD_NOT_FOUND: 404,
  REQUEST_CANCELLED: 503,
  INTERNAL: 500,
  FILE_EXISTS: 409,
  FILE_FAILED: 500,
  BUNDLE_INVALID: 422,
  CONFIG_INVALID: 500,
  USAGE: 400,
  SESSION_NOT_FOUND: 404,
  SESSION_AMBIGUOUS: 409,
  SESSION_EXISTS: 409,
  SESSION_EXPIRED: 410,
  SESSION_BUSY: 409,
  LEASE_LOST: 409,
  SESSION_CLOSED: 409,
  SESSION_LIMIT: 429,
  ENTRY_LIMIT: 413,
  REQUEST_LIMIT: 429,
  TURN_RUNNING: 409,
  CONTEXT_CONFLICT: 409,
  STORE_UNAVAILABLE: 503,
  STORE_LOCKED: 503,
  STORE_FULL: 507,
  STORE_READONLY: 503,
  STORE_CORRUPT: 500,
  STORE_SCHEMA_NEWER: 500,
  STORE_CONFLICT: 409,
  STORE_UNSUPPORTED: 501,
  STORE_CLOSED: 503,
  STORE_FAILED: 500,
  KEY_INVALID: 500,
  KEY_MISSING: 503,
  DECRYPT_FAILED: 500,
  NOT_ENCRYPTED: 500,
  AUDIT_FAILED: 503,
  FORBIDDEN: 403,
  TOKEN_INVALID: 401,
  AGENT_NOT_STARTED: 502,
  AGENT_EXITED: 502,
  AGENT_UNAVAILABLE: 503,
  AGENT_PROTOCOL: 502,
};

/** After so long something that is not there for now may be asked for again. */
const retryAfterS = 1;

/** A failure whose status is another one than its code's: what only HTTP knows of. */
export class Refusal extends SidecarError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    more: {
      readonly code?: ErrorCode;
      readonly data?: ErrorData;
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(more.code ?? "INVALID_REQUEST", message, more.data === undefined ? {} : { data: more.data });
    this.status = status;
    this.headers = more.headers ?? {};
  }
}

/** `instanceof` would take every failure of ours for one: see `SidecarError`. */
export function isRefusal(error: unknown): error is Refusal {
  return isSidecarError(error) && "status" in error && "headers" in error;
}

/** RFC 9457; `code` and whatever else a program may act upon are members of ours. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly [member: string]: unknown;
}

/** What is not ours is told by nothing but that it happened: it may quote anything. */
export function problemOf(error: unknown): Problem {
  const known = isSidecarError(error)
    ? error
    : new SidecarError("INTERNAL", "Something went wrong here that should not have; the log says what");
  const { code, data } = known;
  const status = isRefusal(known) ? known.status : statuses[code];
  return {
    ...data,
    ...(isSidecarError(error) && holderIn(data)),
    type: `urn:acp-sidecar:problem:${code}`,
    title: titleOf(code),
    status,
    detail: withWaysOut(known, "request"),
    code,
  };
}

export function problemAnswer(error: unknown): Response {
  const problem = problemOf(error);
  const { status } = problem;
  return responseOf(JSON.stringify(problem), status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    ...(status === 401 && { "www-authenticate": "Bearer" }),
    ...((status === 503 || status === 429) && { "retry-after": `${retryAfterS}` }),
    ...(isRefusal(error) && error.headers),
  });
}

/** Its host as people call it; the rest of what tells hosts apart is ours. */
function holderIn({ holder }: ErrorData): ErrorData {
  if (typeof holder !== "object" || holder === null || !("host" in holder)) return {};
  return { holder: { ...holder, host: String(holder.host).split("/", 1)[0] } };
}

/** `SESSION_NOT_FOUND`: "Session not found". */
function titleOf(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
