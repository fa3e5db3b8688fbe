/** A process of its own that contends for sessions in a SQLite file, told what to do by its parent. */
import { isSidecarError } from "../../src/errors.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { SessionId } from "../../src/session-id.ts";
import type { Lease } from "../../src/store/store.ts";

/** One question of the parent. `head` is where the journal ends for whoever holds it. */
export type Order =
  | { readonly do: "acquire"; readonly id: SessionId; readonly ttlMs: number; readonly take: boolean }
  | { readonly do: "append"; readonly head: number; readonly data: string }
  | { readonly do: "appendMany"; readonly head: number; readonly count: number }
  | { readonly do: "release" };

/** What came of it: the code of an error, or the head. */
export type Report = { readonly error: string } | { readonly head: number };

const [, , path = "", name = ""] = process.argv;
const store = await openSqliteStore({ path });
const holder = { host: "here", pid: process.pid, startedAt: name };
let lease: Lease | undefined;

async function carryOut(order: Order): Promise<number> {
  if (order.do === "acquire") {
    const { id, ttlMs, take } = order;
    ({ lease } = await store.acquire(id, { holder, ttlMs, mayTake: () => take }));
    return 0;
  }
  if (lease === undefined) throw new Error("no lease was ever acquired");
  if (order.do === "append") return append(lease, order.head, order.data);
  if (order.do === "release") return (await store.release(lease), 0);
  let { head } = order;
  for (let i = 0; i < order.count; i += 1) head = await append(lease, head, `${i}`);
  return head;
}

async function append(held: Lease, head: number, data: string): Promise<number> {
  return store.append(held.sessionId, head, [{ kind: "update", atMs: Date.now(), data }], held);
}

const send = (report: Report | { readonly ready: true }) => process.send?.(report);

process.on("message", (order: Order) => {
  carryOut(order).then(
    (head) => send({ head }),
    (error: unknown) => send({ error: isSidecarError(error) ? error.code : String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
send({ ready: true });
