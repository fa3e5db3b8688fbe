/**
 * Work on a database, written once for all of them: a generator that yields statements and is given what they
 * answered. SQLite carries them out at once, PostgreSQL awaits each. Generator functions stand at the top of a file:
 * one that is made for each call takes the engine five times as long.
 */
import type { Awaitable } from "../../base/awaitable.ts";
import type { Attempt } from "../server/retry.ts";

/** Arrays are for databases that have them. */
export type Value = string | number | boolean | null | readonly string[];

/** `$1`, `$2` … in the text stand for values, or `?` for one after the other. Servers keep named ones prepared. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** Rows come as arrays of columns, which are cheaper by the thousand. */
  readonly asArrays?: boolean;
}

/** A part of a statement that is put together for one call, and the values of its `?`. */
export interface Fragment {
  readonly text: string;
  readonly values: readonly Value[];
}

export interface Query {
  readonly statement: Statement;
  readonly values: readonly Value[];
  /** Whether rows are wanted, or how many were written. */
  readonly gives: "rows" | "count";
}

export type Operation<T> = Generator<Query, T, unknown>;

export function* rows<Row>(statement: Statement, ...values: readonly Value[]): Operation<readonly Row[]> {
  return (yield { statement, values, gives: "rows" }) as readonly Row[];
}

/** How many rows were written. */
export function* write(statement: Statement, ...values: readonly Value[]): Operation<number> {
  return (yield { statement, values, gives: "count" }) as number;
}

/** What makes an operation: those that are tried again are made anew for each try. */
export type Work<T> = (attempt: Attempt) => Operation<T>;

/** Runs operations. */
export interface Runner {
  /** Each statement for itself. */
  read<T>(work: () => Operation<T>): Awaitable<T>;
  /** As `transact`, for work that writes with one statement at most. */
  write<T>(work: Work<T>): Awaitable<T>;
  /** All or nothing. */
  transact<T>(work: Work<T>): Awaitable<T>;
}
