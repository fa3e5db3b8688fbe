/** Every failure that the sidecar names: one class, one table of codes. */

/** What a code means to each kind of caller: JSON-RPC peers, the shell. */
interface ErrorFace {
  readonly rpcCode: number;
  readonly exitStatus: number;
}

/** ACP's own errors of agents. https://agentclientprotocol.com/protocol/v1/schema#errorcode */
export const acpErrors = { authenticationRequired: -32000, resourceNotFound: -32002 } as const;

const failure: ErrorFace = { rpcCode: -32603, exitStatus: 1 };
const usage: ErrorFace = { rpcCode: -32602, exitStatus: 2 };
const notFound: ErrorFace = { rpcCode: acpErrors.resourceNotFound, exitStatus: 4 };
const store: ErrorFace = { rpcCode: -32030, exitStatus: 5 };
const forbidden: ErrorFace = { rpcCode: -32050, exitStatus: 8 };
const agent: ErrorFace = { rpcCode: -32020, exitStatus: 6 };

/**
 * The stable codes, as they stand in `error.data.code` on the wire and in `SidecarError.code`.
 * JSON-RPC numbers: ACP's own (-32000 authentication, -32002 not found, -32800 cancelled) and the
 * server-error range for ours; https://agentclientprotocol.com/protocol/v1/schema#errorcode
 */
export const errorFaces = {
  PARSE_ERROR: { rpcCode: -32700, exitStatus: 1 },
  INVALID_REQUEST: { rpcCode: -32600, exitStatus: 1 },
  NOT_INITIALIZED: { rpcCode: -32600, exitStatus: 1 },
  MESSAGE_TOO_LARGE: { rpcCode: -32600, exitStatus: 1 },
  INVALID_PARAMS: usage,
  INVALID_CURSOR: usage,
  /** A search query cannot be understood; the message says why. */
  INVALID_QUERY: usage,
  CWD_MISMATCH: usage,
  METHOD_NOT_FOUND: { rpcCode: -32601, exitStatus: 1 },
  REQUEST_CANCELLED: { rpcCode: -32800, exitStatus: 1 },
  INTERNAL: failure,

  /** A file was to be written, and there is one already. */
  FILE_EXISTS: usage,
  /** A file cannot be written or read. */
  FILE_FAILED: failure,
  /** What is to be imported is not a bundle of ours, has another version, or was changed or cut off. */
  BUNDLE_INVALID: usage,

  CONFIG_INVALID: usage,
  USAGE: usage,

  SESSION_NOT_FOUND: notFound,
  /** What was given for an id fits several sessions. */
  SESSION_AMBIGUOUS: usage,
  SESSION_EXISTS: { rpcCode: -32013, exitStatus: 1 },
  SESSION_EXPIRED: notFound,
  SESSION_BUSY: { rpcCode: -32010, exitStatus: 3 },
  LEASE_LOST: { rpcCode: -32011, exitStatus: 3 },
  /** The client itself has closed it, in another request, or the sidecar has let it go. */
  SESSION_CLOSED: { rpcCode: -32011, exitStatus: 3 },
  SESSION_LIMIT: { rpcCode: -32012, exitStatus: 1 },
  ENTRY_LIMIT: { rpcCode: -32012, exitStatus: 1 },
  REQUEST_LIMIT: { rpcCode: -32012, exitStatus: 1 },
  TURN_RUNNING: { rpcCode: -32014, exitStatus: 3 },
  /** Somebody else has changed the same part of a session's context meanwhile; `data.conflicts` shows both sides. */
  CONTEXT_CONFLICT: { rpcCode: -32015, exitStatus: 3 },

  /** The medium cannot be reached or opened; trying again later may help. */
  STORE_UNAVAILABLE: store,
  /** Another process holds the medium's lock longer than we wait. */
  STORE_LOCKED: store,
  STORE_FULL: store,
  STORE_READONLY: store,
  /** Damage was found; the message names the session and entry where it can. */
  STORE_CORRUPT: store,
  /** Written by a newer acp-sidecar. */
  STORE_SCHEMA_NEWER: store,
  /** A write that does not continue the journal where the writer believes it ends. */
  STORE_CONFLICT: store,
  /** What was asked is beyond what this medium can promise. */
  STORE_UNSUPPORTED: store,
  STORE_CLOSED: store,
  STORE_FAILED: store,

  /** A key is not in the form of one, or may be read by others; the message says how to mend it. */
  KEY_INVALID: usage,
  /** The store is encrypted with a key that is not at hand; the message names its id. */
  KEY_MISSING: store,
  /** Changed or moved by other hands, or plain where all is encrypted; the message names the session and entry where it can. */
  DECRYPT_FAILED: store,
  /** Encryption is asked for, and the store holds plain sessions. */
  NOT_ENCRYPTED: store,

  /** The audit log cannot be written, and nothing is to be done without it; or what is read is none. */
  AUDIT_FAILED: { rpcCode: -32040, exitStatus: 7 },
  /** It may be read, and not what was asked; of what may not be read it is said that it is not there. */
  FORBIDDEN: forbidden,
  /** A token is unknown, has ended or was revoked: which of these is not said. */
  TOKEN_INVALID: forbidden,

  AGENT_NOT_STARTED: agent,
  AGENT_EXITED: agent,
  /** Too many failed starts in a row; the message says when the next try is allowed. */
  AGENT_UNAVAILABLE: agent,
  AGENT_PROTOCOL: agent,
} as const satisfies Record<string, ErrorFace>;

export type ErrorCode = keyof typeof errorFaces;

/** What else a caller may read from an error; plain JSON, never prompt text or a secret. */
export type ErrorData = Readonly<Record<string, unknown>>;

const brand = Symbol.for("acp-sidecar.SidecarError");

/**
 * A failure with a stable `code`, a one-line `message` that tells a person what to do, and optional
 * `data` for programs. `cause` keeps the original error for logs.
 */
export class SidecarError extends Error {
  /** The program and the library are bundles of their own, and a store may come from either. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && brand in value;
  }

  override readonly name = "SidecarError";
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, options: { data?: ErrorData; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data ?? {};
  }

  get [brand](): true {
    return true;
  }

  /** The JSON-RPC error number. */
  get rpcCode(): number {
    return errorFaces[this.code].rpcCode;
  }

  /** The status with which the command line ends on this error. */
  get exitStatus(): number {
    return errorFaces[this.code].exitStatus;
  }
}

/** Whether `error` is ours, and, when codes are given, one of those. */
export function isSidecarError(error: unknown, ...codes: readonly ErrorCode[]): error is SidecarError {
  return error instanceof SidecarError && (codes.length === 0 || codes.includes(error.code));
}

/** What the system, or a library, calls a failure: `ENOENT`, `SQLITE_BUSY`, `23505`. Undefined for our own errors. */
export function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof SidecarError || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The reason as a log may have it: an agent's own words may quote a prompt, which only `debug` shows. */
export function loggedReason(error: unknown, log: { writes(level: "debug"): boolean }): string {
  if (!(error instanceof Error) || log.writes("debug")) return reasonOf(error);
  if (isSidecarError(error, "AGENT_EXITED", "AGENT_UNAVAILABLE")) return error.code;
  return "code" in error && typeof error.code === "number" ? `error ${error.code}` : reasonOf(error);
}

/** The first line of what went wrong, for logs and for messages that wrap it. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1)[0] ?? text;
}
