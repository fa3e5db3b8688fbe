/** What a conformance check is, and what it is given. Nothing here knows a test runner. */
import { AssertionError } from "node:assert/strict";
import { inspect } from "node:util";
import type { Store, StoreCapabilities } from "../../src/store/contract.ts";

/** The store that is judged. */
export interface StoreUnderTest {
  readonly name: string;
  /** Opens a store on a new, empty medium. */
  readonly open: () => Promise<Store>;
  /**
   * Opens one more store on the medium of the last `open`: after a close where sessions outlive the
   * process, and beside the open one where several processes may share the medium.
   */
  readonly reopen?: () => Promise<Store>;
  /** Called after each check, when its stores are closed: removes every medium opened since the last call. */
  readonly dispose?: () => Promise<void>;
  /** What is declared here is checked; what is declared missing is named in the report and not checked. */
  readonly capabilities: StoreCapabilities;
  /** Random histories for the model check; 30 unless told. */
  readonly modelRuns?: number;
}

/** What a check works with. Every store that it opens is closed for it. */
export interface Medium {
  readonly subject: StoreUnderTest;
  /** One more store on the same medium; see `StoreUnderTest.reopen`. */
  readonly reopen: () => Promise<Store>;
}

export interface Check {
  readonly title: string;
  /** Not run against a store that declares it does not have this. */
  readonly needs?: keyof StoreCapabilities;
  readonly run: (store: Store, medium: Medium) => Promise<void>;
}

export interface Capability {
  readonly name: string;
  readonly checks: readonly Check[];
}

/** Runs one check on a fresh medium. */
export async function runCheck(check: Check, subject: StoreUnderTest): Promise<void> {
  const opened: Store[] = [];
  const keep = (store: Store): Store => {
    opened.push(store);
    return store;
  };
  try {
    const store = keep(await subject.open());
    await check.run(store, {
      subject,
      reopen: async () => {
        if (subject.reopen === undefined) throw new Error(`${subject.name} declares no reopen()`);
        return keep(await subject.reopen());
      },
    });
  } catch (error) {
    throw told(error);
  } finally {
    for (const store of opened.reverse()) await store.close();
    await subject.dispose?.();
  }
}

/** A judgement in words: in a bundle the expression that failed says nothing. */
function told(error: unknown): unknown {
  // What was wrong with a random history.
  if (error instanceof Error && error.cause instanceof AssertionError) {
    told(error.cause);
    error.message += `\n${error.cause.message}`;
  }
  if (!(error instanceof AssertionError) || error.operator === "==" || error.operator === "fail")
    return error;
  const shown = (value: unknown) => inspect(value, { depth: 6, breakLength: 100, maxStringLength: 500 });
  const why = error.generatedMessage ? "" : `${error.message}\n`;
  error.message = `${why}expected: ${shown(error.expected)}\nreceived: ${shown(error.actual)}`;
  return error;
}
