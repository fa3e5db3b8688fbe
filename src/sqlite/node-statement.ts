/** A statement of Node's own SQLite, in the shape of engine.ts, and its errors. */
import { systemCodeOf } from "../base/errors.ts";
import type { Statement, Written } from "./engine.ts";
import { resultCodeName } from "./result-codes.ts";

/** What we use of it. */
export interface NodeStatement {
  run(...params: unknown[]): Written;
  get(...params: unknown[]): unknown[] | undefined;
  all(...params: unknown[]): unknown[][];
  iterate(...params: unknown[]): IterableIterator<unknown[]>;
  columns(): { readonly name: string }[];
  setReturnArrays(isOn: boolean): void;
  setReadBigInts(isOn: boolean): void;
}

/** In characters: what it costs to let go of such a text is nothing beside what it takes. */
const largeText = 1 << 20;

export class Prepared<Params extends unknown[], Row> implements Statement<Params, Row> {
  readonly #statement: NodeStatement;
  #shape: "object" | "array" | "value" = "object";
  /** Of the columns, as of the last look. */
  #names: readonly string[] = [];

  constructor(statement: NodeStatement) {
    this.#statement = statement;
    // Objects are made here, in three quarters of the time that Node takes for them.
    statement.setReturnArrays(true);
  }

  run(...params: Params): Written {
    try {
      const written = this.#statement.run(...params);
      // Node keeps a copy of what was bound until the statement is used again: of a large text, it is let go.
      if (params.some(isLarge)) this.#statement.iterate();
      return written;
    } catch (error) {
      throw withCode(error);
    }
  }

  get(...params: Params): Row | undefined {
    try {
      const row = this.#statement.get(...params);
      return row === undefined ? undefined : this.#shaped(row);
    } catch (error) {
      if (!isTooLarge(error)) throw withCode(error);
    }
    for (const row of this.#rounded(params)) return this.#shaped(row);
    return undefined;
  }

  all(...params: Params): Row[] {
    try {
      const rows = this.#statement.all(...params);
      return this.#shape === "array" ? (rows as Row[]) : rows.map((row) => this.#shaped(row));
    } catch (error) {
      if (!isTooLarge(error)) throw withCode(error);
    }
    return Array.from(this.#rounded(params), (row) => this.#shaped(row));
  }

  /** No generator: in a long read it costs a sixth. */
  iterate(...params: Params): IterableIterator<Row> {
    let rows = named(() => this.#statement.iterate(...params));
    let given = 0;
    const next = (): IteratorResult<Row> => {
      try {
        const step = rows.next();
        if (step.done === true) return step;
        given += 1;
        return { done: false, value: this.#shaped(step.value) };
      } catch (error) {
        this.#reset(params);
        if (!isTooLarge(error)) throw withCode(error);
        rows = this.#rounded(params);
        for (let i = 0; i < given; i += 1) rows.next();
        return next();
      }
    };
    return {
      next,
      return: () => (rows.return?.(), { done: true, value: undefined }),
      [Symbol.iterator]() {
        return this;
      },
    };
  }

  raw(): this {
    this.#shape = "array";
    return this;
  }

  pluck(): this {
    this.#shape = "value";
    return this;
  }

  /** Node tells the error that ended an iteration once more at the next use of the statement, whose reset forgets it. */
  #reset(params: Params): void {
    try {
      this.#statement.iterate(...params);
    } catch {
      // It was told.
    }
  }

  #shaped(columns: unknown[]): Row {
    if (this.#shape === "array") return columns as Row;
    if (this.#shape === "value") return columns[0] as Row;
    // Another process may have added a column since: SQLite has then prepared the statement anew.
    if (this.#names.length !== columns.length)
      this.#names = this.#statement.columns().map(({ name }) => name);
    const row: Record<string, unknown> = {};
    for (let i = 0; i < columns.length; i += 1) row[this.#names[i] ?? ""] = columns[i];
    return row as Row;
  }

  /**
   * Rows with integers that are no safe ones in JavaScript, which only damage leaves: as the nearest number, as every
   * other engine gives them, so that it is told where it lies.
   */
  *#rounded(params: Params): Generator<unknown[]> {
    this.#statement.setReadBigInts(true);
    try {
      for (const row of this.#statement.iterate(...params))
        yield row.map((value) => (typeof value === "bigint" ? Number(value) : value));
    } catch (error) {
      this.#reset(params);
      throw withCode(error);
    } finally {
      this.#statement.setReadBigInts(false);
    }
  }
}

function isLarge(value: unknown): boolean {
  return typeof value === "string" && value.length > largeText;
}

function isTooLarge(error: unknown): boolean {
  return systemCodeOf(error) === "ERR_OUT_OF_RANGE";
}

export function named<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw withCode(error);
  }
}

/** Node gives its errors one code for all, and SQLite's number. */
export function withCode(error: unknown): unknown {
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") {
    Object.assign(error, { code: resultCodeName(error.errcode) });
  }
  return error;
}
