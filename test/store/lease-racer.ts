/** A process that contends for one session, step by step as its parent says: `lease-racer.js URL ID`. */
import type { SessionId } from "../../src/session-id.ts";
import type { Lease, Store } from "../../src/store/store.ts";
import { aHolder, anEntry } from "../conformance/samples.ts";

/** `ask`: take a lease that is free; `take`: take it from whoever holds it; `write` an entry after `head`. */
export type Step =
  | { readonly step: "ask" | "take" | "release" | "stop" }
  | { readonly step: "write"; readonly head: number; readonly text: string };

/** The fence of the lease that was got, the head that was written, or the code of the refusal. */
export type Answer = { readonly value: number } | { readonly code: string };

const [, , url = "", id = ""] = process.argv;
const holder = { ...aHolder(`${process.pid}`), pid: process.pid };

async function opened(): Promise<Store> {
  if (url.startsWith("postgres")) {
    const { openPostgresStore } = await import("../../src/store/postgres/store.ts");
    return openPostgresStore({ url });
  }
  const { openRedisStore } = await import("../../src/store/redis/store.ts");
  return openRedisStore({ url });
}

async function perform(
  store: Store,
  step: Step,
  lease: Lease | undefined,
): Promise<Lease | number | undefined> {
  const session = id as SessionId;
  if (step.step === "ask" || step.step === "take") {
    const mayTake = () => step.step === "take";
    return (await store.acquire(session, { holder, ttlMs: 60_000, mayTake })).lease;
  }
  if (lease === undefined) return undefined;
  if (step.step === "write") return store.append(session, step.head, [anEntry(step.text)], lease);
  return void (await store.release(lease));
}

const store = await opened();
let lease: Lease | undefined;

async function answer(step: Step): Promise<Answer> {
  try {
    const result = await perform(store, step, lease);
    if (typeof result !== "object") return { value: result ?? 0 };
    lease = result;
    return { value: result.fence };
  } catch (error) {
    return { code: (error as { code?: string }).code ?? String(error) };
  }
}

process.on("message", (step: Step) => {
  const doing = step.step === "stop" ? store.close().then(() => process.disconnect()) : answer(step);
  void doing.then((said) => said && process.send?.(said));
});
process.send?.({ value: 0 });
