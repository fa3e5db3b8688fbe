/** `npm run torture -- NAME [--kills N] [--seconds S] [--seed S] [--store URL] [--size glimpse|middle|long]`. */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { harnesses } from "./harnesses.ts";
import { encryptAll } from "./world/encryption.ts";
import type { Harness, TortureOptions } from "./world/report.ts";

const help = `npm run torture -- NAME [options]

  --kills N      how often something is broken
  --seconds S    how long, for harnesses that run for a time
  --size SIZE    glimpse, middle (the default) or long: fills in what is not given
  --seed SEED    repeats the choices of an earlier run
  --store STORE  sqlite (the default), file, or a URL of a server
  --encrypted    in stores that are encrypted
  --break WHAT   breaks what is promised; the harness must fail: power-loss has no-fsync
  --again FILE   judges once more what a failed power-loss has kept
  --out DIR      where measured figures are written and drawn, by harnesses that do

${harnesses.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`).join("\n")}
  all            each of them, one after the other
`;

export async function main(argv: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      kills: text,
      seconds: text,
      size: text,
      seed: text,
      store: text,
      out: text,
      break: text,
      again: text,
      encrypted: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  const [name] = positionals;
  const chosen = harnesses.filter((each) => name === "all" || each.name === name);
  if (chosen.length === 0 || values.help === true) {
    say(help);
    return values.help === true ? 0 : 2;
  }
  if (values.encrypted === true) encryptAll();
  let status = 0;
  for (const harness of chosen) status = Math.max(status, await torture(harness, values));
  return status;
}

type Values = Partial<
  Record<"kills" | "seconds" | "size" | "seed" | "store" | "out" | "break" | "again", string>
>;

/** Runs one harness and prints its figures, or how the promise was broken. */
async function torture(harness: Harness, values: Values): Promise<number> {
  const options = optionsFor(harness, values);
  const startedAtMs = performance.now();
  say(`${harness.name}: seed ${options.seed}, store ${options.store}`);
  try {
    const figures = await harness.run(options);
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    say(`${harness.name}: held, after ${seconds} s`);
    for (const [what, count] of Object.entries(figures)) say(`  ${String(count).padStart(9)} ${what}`);
    return 0;
  } catch (error) {
    say(`${harness.name}: FAILED with seed ${options.seed}`);
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return 1;
  }
}

function optionsFor(harness: Harness, values: Values): TortureOptions {
  const size = values.size ?? "middle";
  if (size !== "glimpse" && size !== "middle" && size !== "long") throw new Error(`There is no size ${size}`);
  const { kills = 0, seconds = 0 } = harness.sizes[size];
  return {
    seed: values.seed ?? randomBytes(4).toString("hex"),
    kills: Number(values.kills ?? kills),
    seconds: Number(values.seconds ?? seconds),
    store: values.store ?? "sqlite",
    ...(values.out !== undefined && { out: values.out }),
    ...(values.again !== undefined && { again: values.again }),
    ...(values.break !== undefined && { broken: values.break }),
    log: (line) => say(`  ${line}`),
  };
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
