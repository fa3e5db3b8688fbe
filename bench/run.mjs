/** The benchmark: everything in one run, contenders by turns in every round, medians over the rounds. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { builtSidecar } from "./contenders.mjs";
import { historyExport } from "./history/export.mjs";
import { historyImport } from "./history/import.mjs";
import { historyMany } from "./history/many.mjs";
import { append } from "./measure/append.mjs";
import { audit } from "./measure/audit.mjs";
import { bigSession } from "./measure/big-session.mjs";
import { encrypted } from "./measure/encrypted.mjs";
import { context } from "./measure/context.mjs";
import { chain } from "./measure/chain.mjs";
import { engines } from "./measure/engines.mjs";
import { history } from "./measure/history.mjs";
import { http } from "./measure/http.mjs";
import { load } from "./measure/load.mjs";
import { memory } from "./measure/memory.mjs";
import { roundTrip } from "./measure/round-trip.mjs";
import { start } from "./measure/start.mjs";
import { storesDurable } from "./measure/stores-durable.mjs";
import { storesMemory } from "./measure/stores-memory.mjs";
import { storesNetwork } from "./measure/stores-network.mjs";
import { streaming } from "./measure/streaming.mjs";
import { upkeep } from "./measure/upkeep.mjs";
import { view } from "./measure/view.mjs";
import { installPeers, peersInstalled } from "./stores/peers.mjs";
import { load as loadNow, machine, storeTable, table } from "./table.mjs";

const measurements = {
  start,
  "round-trip": roundTrip,
  streaming,
  memory,
  load,
  "big-session": bigSession,
  append,
  encrypted,
  chain,
  context,
  audit,
  "history-export": historyExport,
  "history-import": historyImport,
  "history-many": historyMany,
  history,
  http,
  upkeep,
  view,
  engines,
  "stores-memory": storesMemory,
  "stores-durable": storesDurable,
  "stores-network": storesNetwork,
};

const help = `npm run bench -- [options]

Measures the same agent alone (a), behind a relay that copies bytes (b), behind a relay on the official
SDK (c), and behind acp-sidecar with SQLite and --durability turn (d), and prints a table in Markdown; then
the stores, each group in a table of its own. "stores-network" wants TEST_POSTGRES_URL and TEST_REDIS_URL:
eval "$(bash .ci/servers.sh)" starts the servers and sets them.

  --only NAME        one measurement, may be repeated: ${Object.keys(measurements).join(", ")};
                     history is all of those whose names begin so
  --quick            fewer and shorter rounds: the order of magnitude, not the figure
  --big-mb MB        size of the session that big-session loads (default 1000; ${"100 with --quick"})
  --messages N       how many messages history searches (default 1000000; ${"20000 with --quick"})
  --import-mb MB     size of the history that history-import brings in (default 1000; ${"50 with --quick"})
  --sessions N       how many sessions history-many and http look at (default 100000; ${"5000 with --quick"})
  --dir DIR          where the databases go, on the disk that is to be measured (default: the temporary folder)
  --sidecar FILE     the sidecar to measure (default: bin/acp-sidecar.js of this checkout)
  --against FILE     another build's bin/acp-sidecar.js, measured in the same rounds
  --peers            install the session stores of others beside which ours are measured (some 120 MB, from the
                     registry, into node_modules/.cache); once installed they are measured without this too
  --help
`;

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true },
    quick: { type: "boolean", default: false },
    "big-mb": { type: "string" },
    messages: { type: "string" },
    "import-mb": { type: "string" },
    sessions: { type: "string" },
    dir: { type: "string", default: os.tmpdir() },
    sidecar: { type: "string", default: builtSidecar },
    against: { type: "string" },
    peers: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(help);
else process.exitCode = await main();

async function main() {
  const { quick, against } = values;
  const all = Object.keys(measurements);
  const ofHistory = all.filter((name) => name.startsWith("history"));
  const only = [...new Set((values.only ?? all).flatMap((name) => (name === "history" ? ofHistory : name)))];
  const unknown = only.find((name) => !Object.hasOwn(measurements, name));
  if (unknown !== undefined)
    return fail(`--only ${unknown}: allowed are ${Object.keys(measurements).join(", ")}`);
  const bigMb = Number(values["big-mb"] ?? (quick ? 100 : 1000));
  if (!(bigMb >= 1)) return fail(`--big-mb ${values["big-mb"]}: a number of megabytes is wanted`);
  const historyMessages = Number(values.messages ?? (quick ? 20_000 : 1_000_000));
  if (!(historyMessages >= 1000)) return fail(`--messages ${values.messages}: 1000 or more are wanted`);
  const importMb = Number(values["import-mb"] ?? (quick ? 50 : 1000));
  if (!(importMb >= 1)) return fail(`--import-mb ${values["import-mb"]}: a number of megabytes is wanted`);
  const sessions = Number(values.sessions ?? (quick ? 5000 : 100_000));
  if (!(sessions >= 10)) return fail(`--sessions ${values.sessions}: 10 or more are wanted`);
  const binary = absolute(values.sidecar);
  const options = { against: absolute(against), binary, bigMb, historyMessages, importMb, sessions };
  if (values.peers) installPeers();
  process.stdout.write(`${machine(values.dir)}${quick ? "; --quick" : ""}\n\n`);
  const [rows, tables] = [[], []];
  for (const name of only) {
    process.stderr.write(`measuring ${name} …\n`);
    const found = await inFolder(values.dir, (folder) => measurements[name]({ folder, quick, options }));
    if (Array.isArray(found)) rows.push(...found);
    else tables.push(found);
  }
  if (rows.length > 0) process.stdout.write(`${table(rows, against)}\n\n`);
  for (const each of tables) process.stdout.write(`${storeTable(each)}\n\n`);
  if (tables.length > 0 && !peersInstalled())
    process.stdout.write("Without the stores of others: see --peers.\n");
  process.stdout.write(`Load average at the end ${loadNow()}.\n`);
  return 0;
}

/** Every measurement has a folder of its own, which goes when it is done. */
async function inFolder(parent, measure) {
  const folder = mkdtempSync(path.join(parent, "acp-sidecar-bench-"));
  try {
    return await measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function absolute(file) {
  return file === undefined ? undefined : path.resolve(file);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  return 2;
}
