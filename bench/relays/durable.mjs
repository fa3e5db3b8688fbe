/**
 * The least that keeps the same promise with the same database: every line is parsed, a prompt is committed before
 * the agent gets it and an update before the client does, an answer waits for the WAL's sync. No sessions, no
 * leases, no schema, no cancellation, one turn at a time: the floor under the sidecar's round trip.
 */
import { spawn } from "node:child_process";
import { open } from "node:fs/promises";

/** As the sidecar on the newest Node of each. */
const isNewer = Number(process.versions.node.split(".")[0]) >= 24;
const Database = isNewer
  ? (await import("node:sqlite")).DatabaseSync
  : (await import("better-sqlite3")).default;

const [file, command, ...args] = process.argv.slice(2);
const db = new Database(file);
db.exec(`PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE sessions (no INTEGER PRIMARY KEY, head INTEGER, updated INTEGER);
  CREATE INDEX activity ON sessions (updated);
  CREATE TABLE entries (seq INTEGER PRIMARY KEY, at INTEGER, data TEXT);
  INSERT INTO sessions VALUES (1, 0, 0)`);
const advance = db.prepare("UPDATE sessions SET head = ?, updated = ? WHERE no = 1");
const insert = db.prepare("INSERT INTO entries VALUES (?, ?, ?)");
const begin = db.prepare("BEGIN IMMEDIATE");
const commit = db.prepare("COMMIT");
let head = 0;
const append = (texts) => {
  begin.run();
  const atMs = Date.now();
  for (const text of texts) insert.run(++head, atMs, text);
  advance.run(head, atMs);
  commit.run();
};
const wal = await open(`${file}-wal`, "r+");

const agent = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const prompts = new Set();
onLines(process.stdin, (lines) => {
  for (const line of lines) {
    const message = JSON.parse(line);
    if (message.method === "session/prompt") {
      prompts.add(message.id);
      append([line]);
    }
    agent.stdin.write(`${line}\n`);
  }
});
onLines(agent.stdout, async (lines) => {
  const updates = [];
  for (const line of lines) {
    const message = JSON.parse(line);
    if (message.method === "session/update") {
      updates.push(line);
      continue;
    }
    forward(updates.splice(0));
    if (prompts.delete(message.id)) {
      append([line]);
      await wal.datasync();
    }
    process.stdout.write(`${line}\n`);
  }
  forward(updates);
});
process.stdin.on("end", () => agent.kill());
agent.on("exit", () => process.exit());

function forward(updates) {
  if (updates.length === 0) return;
  append(updates);
  process.stdout.write(`${updates.join("\n")}\n`);
}

function onLines(stream, take) {
  let rest = "";
  stream.setEncoding("utf8").on("data", (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    if (lines.length > 0) void take(lines);
  });
}
