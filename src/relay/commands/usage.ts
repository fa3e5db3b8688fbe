import { addSums, noSums, UsageReader } from "../../history/usage/sums.ts";
import type { RelayContext } from "../context.ts";
import type { LiveSession } from "../live/session.ts";

export async function usage({ registry }: RelayContext, live: LiveSession): Promise<string> {
  const reader = new UsageReader(live.record.lineage?.atSeq ?? 0);
  await live.journal.reading(async () => {
    for await (const page of registry.read(live.id)) for (const entry of page) reader.take(entry);
  });
  const sums = noSums();
  for (const day of reader.byDay().values()) addSums(sums, day);
  const cost = Object.entries(sums.cost).map(([currency, amount]) => `${amount.toFixed(2)} ${currency}`);
  const [input, output, total] = [sums.input, sums.output, sums.total].map((n) => n.toLocaleString("en-US"));
  const tokens =
    sums.total === 0 ? "the agent reports no tokens" : `${total} tokens (${input} in, ${output} out)`;
  const turns = `${sums.turns} turn${sums.turns === 1 ? "" : "s"}`;
  return `This session: ${[turns, tokens, ...cost].join("; ")}. All of them: \`acp-sidecar usage\`.`;
}
