/** What the sidecar itself holds in memory (not the agent, not the client) after 100,000 updates. */
import { readFileSync } from "node:fs";
import { BenchClient } from "../client.mjs";
import { contenders } from "../contenders.mjs";
import { Samples } from "../stats.mjs";

const updates = 100_000;

export async function memory({ folder, quick, options }) {
  const samples = new Samples();
  const all = contenders(folder, options).filter(({ name }) => name !== "agent");
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    for (const contender of all) {
      const client = new BenchClient(contender);
      const sessionId = await client.open(folder);
      const { lines } = await client.prompt(sessionId, `stream ${updates} text`, { keep: false });
      if (lines !== updates) throw new Error(`${contender.name}: ${lines} updates of ${updates}`);
      const { residentMb, peakMb } = memoryOf(client.child.pid);
      samples.add(contender.name, residentMb);
      samples.add(`${contender.name} peak`, peakMb);
      await client.close();
    }
  }
  const figures = (suffix) =>
    Object.fromEntries(all.map(({ name }) => [name, samples.median(name + suffix)]));
  const residentMb = samples.median("sidecar");
  return [
    {
      what: "resident memory after 100,000 updates, MB",
      figures: figures(""),
      ratio: `${residentMb.toFixed(0)} MB`,
      wanted: "≤ 90 MB",
      met: residentMb <= 90,
    },
    {
      what: "its peak, MB",
      figures: figures(" peak"),
      ratio: `${samples.median("sidecar peak").toFixed(0)} MB`,
    },
  ];
}

/** VmRSS and VmHWM of a process, in MB (10⁶ bytes); see proc(5). */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (name) => (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)[1]) * 1024) / 1e6;
  return { residentMb: mb("VmRSS"), peakMb: mb("VmHWM") };
}
