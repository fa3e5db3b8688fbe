/** `verify`: reads everything that is stored and names what is damaged. */
import { verifySessions, type Damage } from "../session/verify.ts";
import type { Invocation, Io } from "./command.ts";
import { print, printJson, printTable } from "./print.ts";
import { configOf } from "./configured.ts";
import { withStore } from "./store.ts";
import { inspectStore, repairStore } from "../store/open.ts";

/** Status 5 when there is damage that was not repaired. */
export async function verify(invocation: Invocation, io: Io): Promise<number> {
  if (invocation.flags["repair"]) await repair(invocation, io);
  return withStore(invocation, io, async (store, config) => {
    const { sessions, entries, damages: met } = await verifySessions(store);
    const damages = [...met, ...(await inspectStore(config.store)).map(damageOf)];
    const status = damages.length === 0 ? 0 : 5;
    if (invocation.flags["json"]) {
      await printJson(io, { sessions, entries, damages });
      return status;
    }
    await print(io, `${sessions} sessions, ${entries} entries read: ${damages.length} damaged places\n`);
    if (damages.length > 0) {
      const rows = damages.map(({ sessionId, seq, problem }) => [sessionId, String(seq ?? ""), problem]);
      await printTable(io, ["SESSION", "ENTRY", "PROBLEM"], rows);
    }
    return status;
  });
}

function damageOf({
  sessionId,
  file,
  entries,
  reason,
}: Awaited<ReturnType<typeof inspectStore>>[number]): Damage {
  return { sessionId, ...(entries && { seq: entries.from }), problem: `${file}: ${reason}` };
}

/** Never silently: what was set aside is named. */
async function repair(invocation: Invocation, io: Io): Promise<void> {
  const { config } = await configOf(invocation, io);
  const { entries, setAside } = await repairStore(config.store);
  if (invocation.flags["json"]) return;
  await print(io, `${entries} sound entries kept; ${setAside.length} damaged sessions repaired\n`);
  for (const folder of setAside) await print(io, `  as it was found: ${folder}\n`);
}
