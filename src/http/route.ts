/** What a route is: data, from which the server, the checks and the document are made alike. */
import type { issueWords } from "../acp/schema.ts";
import type { SessionId } from "../base/ids.ts";
import type { Answer } from "./answer.ts";
import type { Guest } from "./guest.ts";
import type { House } from "./house.ts";

export type { Answer } from "./answer.ts";

/** What checks a value; zod's schemas do. */
export interface Shape<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Issue[] } };
}

export type Issue = Parameters<typeof issueWords>[0];

/** A request that may be answered: who asks, and what was checked. */
export interface Call<Q = unknown, B = unknown> {
  readonly house: House;
  readonly guest: Guest;
  /** Of the path; what the route does not have is empty. */
  readonly id: SessionId;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  readonly request: Request;
  /** The `Idempotency-Key`, with what makes it one's own. */
  key?: string;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export type Method = "get" | "post" | "put" | "patch" | "delete";

export interface RouteFacts {
  readonly method: Method;
  /** With `:id` for a session. */
  readonly path: string;
  /** In the document: the name of the operation, what it does in one line, and more. */
  readonly name: string;
  readonly summary: string;
  readonly notes?: string;
  /** Asked of everybody, unless told. */
  readonly isOpen?: true;
  /** It is about a turn: the agent's session stays open. */
  readonly isOfTurns?: true;
  readonly status?: number;
  /** Statuses with which the same shape is answered, and that are no success. */
  readonly failing?: readonly number[];
  /** Other problems than those that every route may have. */
  readonly problems?: readonly number[];
  /** Headers of a request that it reads, and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of an answer that is no JSON. */
  readonly answers?: readonly string[];
}

export interface Route extends RouteFacts {
  readonly query?: Shape<unknown>;
  readonly body?: Shape<unknown>;
  /** The body may be left out. */
  readonly isBodyOptional?: boolean;
  /** It reads the request's body itself. */
  readonly takesAnything?: readonly string[];
  readonly answer?: Shape<unknown>;
  readonly handle: (call: Call) => Promise<Answer | Response>;
}

export function route<Q = unknown, B = unknown>(
  facts: RouteFacts &
    Pick<Route, "isBodyOptional" | "takesAnything" | "answer"> & {
      readonly query?: Shape<Q>;
      readonly body?: Shape<B>;
      readonly handle: (call: Call<Q, B>) => Promise<Answer | Response>;
    },
): Route {
  return facts as Route;
}
