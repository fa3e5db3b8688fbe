/** Loads sessions through the sidecar and judges what it replays, with or without a look into the store. */
import type { Found, FoundSession } from "../checker/history.ts";
import type { TortureClient } from "./client.ts";
import { lookInto } from "./store.ts";

/** What `session/load` shows of each session; must be asked while no turn runs. */
export async function loadAll(client: TortureClient, ids: Iterable<string>): Promise<Found> {
  const sessions = new Map<string, FoundSession>();
  for (const id of ids) {
    const { answer, replay } = await client.load(id);
    if (answer === undefined) break;
    sessions.set(id, answer.error === undefined ? { replay } : { failure: failureOf(answer.error) });
  }
  return { sessions };
}

/** Every session of the run, replayed and stored. Errors: `PromiseBroken`. */
export async function verifyAll(client: TortureClient, storeUrl: string): Promise<void> {
  const { run } = client;
  const ids = [...run.ledger.sessions.keys()];
  const loaded = await loadAll(client, ids);
  run.check(loaded);
  run.check(await lookInto(storeUrl, ids));
}

/** A session that is said not to be there is one that was not found, whatever the number of the error. */
function failureOf({
  message,
  data,
}: {
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}) {
  const code = data?.["code"];
  return { code: typeof code === "string" ? code : "unnamed", message };
}
