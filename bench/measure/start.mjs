/** From the spawn of a contender to its answer to `initialize`, and on to its first session. */
import { BenchClient } from "../client.mjs";
import { contenders } from "../contenders.mjs";
import { Samples } from "../stats.mjs";

export async function start({ folder, quick, options }) {
  const samples = new Samples();
  const all = contenders(folder, options);
  for (let round = 0; round < (quick ? 5 : 25); round++) {
    for (const contender of all) {
      const client = new BenchClient(contender);
      const { endedAtMs } = await client.ask("initialize", { protocolVersion: 1, clientCapabilities: {} });
      samples.add(contender.name, endedAtMs - client.spawnedAtMs);
      const made = await client.ask("session/new", { cwd: folder, mcpServers: [] });
      samples.add(`${contender.name} session`, made.endedAtMs - client.spawnedAtMs);
      await client.close();
    }
  }
  const figures = (suffix) =>
    Object.fromEntries(all.map(({ name }) => [name, samples.median(name + suffix)]));
  const ratio = samples.ratio("sidecar", "bytes");
  return [
    {
      what: "start to `initialize` answer, ms",
      figures: figures(""),
      ratio: `${ratio.toFixed(2)} × (b)`,
      wanted: "≤ 1.3 × (b)",
      met: ratio <= 1.3,
    },
    {
      what: "start to first `session/new` answer, ms",
      figures: figures(" session"),
      ratio: `${samples.ratio("sidecar session", "bytes session").toFixed(2)} × (b)`,
    },
  ];
}
