/**
 * The least that keeps the same promise with the same database: every line is parsed, a prompt is committed before
 * the agent gets it and an update before the client does, an answer waits for the WAL's sync. No sessions, no
 * leases, no schema, no cancellation, one turn at a time: the floor under the sidecar's round trip.
 */
import { spawn } from "node:child_process";
import { open } from "node:fs/promises";
import Database from "better-sqlite3";

const [file, command, ...args] = process.argv.slice(2);
const db = new Database(file);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = NORMAL");
db.exec(`CREATE TABLE sessions (no INTEGER PRIMARY KEY, head INTEGER, updated INTEGER);
  CREATE INDEX activity ON sessions (updated);
  CREATE TABLE entries (seq INTEGER PRIMARY KEY, at INTEGER, data TEXT);
  INSERT INTO sessions VALUES (1, 0, 0)`);
const advance = db.prepare("UPDATE sessions SET head = ?, updated = ? WHERE no = 1");
const insert = db.prepare("INSERT INTO entries VALUES (?, ?, ?)");
let head = 0;
const append = db.transaction((texts) => {
  const atMs = Date.now();
  for (const text of texts) insert.run(++head, atMs, text);
  advance.run(head, atMs);
});
const wal = await open(`${file}-wal`, "r+");

const agent = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
const prompts = new Set();
onLines(process.stdin, (lines) => {
  for (const line of lines) {
    const message = JSON.parse(line);
    if (message.method === "session/prompt") {
      prompts.add(message.id);
      append.immediate([line]);
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
      append.immediate([line]);
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
  append.immediate(updates);
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
