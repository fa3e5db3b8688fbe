/** The machine around the store: room on its disks, its clock, and what killed sidecars have left running. */
import path from "node:path";
import { leftOvers } from "../agent/left-over.ts";
import { auditFileOf } from "../audit/open.ts";
import { roomAt, type DiskRoom } from "../base/disk-room.ts";
import { placeOfStore } from "../care/maintenance.ts";
import { formatDurationMs } from "../config/units.ts";
import { newestOf } from "./checks-store.ts";
import type { Finding, HealthCheck } from "./check.ts";

/** Less is used up by one long turn, or by a file that is written anew. */
const leastFreeBytes = 100 << 20;

export const diskCheck: HealthCheck = {
  name: "disk",
  isVital: false,
  look: async ({ config, env }) => {
    const auditFile = config.audit === "off" ? undefined : auditFileOf(config, env);
    const folders = [placeOfStore(config.store), auditFile && path.dirname(auditFile)].filter(
      (folder) => folder !== undefined,
    );
    const rooms = await Promise.all(folders.map(roomAt));
    const [least] = rooms.sort((a, b) => a.freeBytes - b.freeBytes);
    return least === undefined ? { ok: true, words: "nothing is kept on one" } : roomFinding(least);
  },
};

export function roomFinding({ freeBytes, totalBytes }: DiskRoom): Finding {
  const words = `${gib(freeBytes)} GiB of ${gib(totalBytes)} GiB free`;
  if (freeBytes >= leastFreeBytes) return { ok: true, words };
  return {
    ok: false,
    words,
    what: `The disk is nearly full: ${words}`,
    fix: "make room on the disk, or delete old sessions: acp-sidecar sessions gc --older-than 30d, then acp-sidecar sessions gc --trash",
  };
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1);
}

/** Clocks of machines that share a store differ by so much. */
const clocksDifferMs = 10_000;

export const clockCheck: HealthCheck = {
  name: "clock",
  isVital: false,
  look: async ({ store }) => {
    const newest = await newestOf(store);
    // The steady clock stands still while the machine sleeps, so only a jump back is odd.
    const jumpedMs = Date.now() - (performance.timeOrigin + performance.now());
    return clockFinding(Date.now(), newest?.updatedAtMs ?? 0, jumpedMs);
  },
};

/** @param jumpedMs by how much the clock has moved beside the time that went by since the process began */
export function clockFinding(nowMs: number, newestMs: number, jumpedMs: number): Finding {
  const aheadMs = newestMs - nowMs;
  const fix = "set the clock of this machine, or of the one that wrote last: lists and retention go by it";
  if (aheadMs > clocksDifferMs) {
    const words = `${span(aheadMs)} before the newest session`;
    return { ok: false, words, what: `The clock is ${words}`, fix };
  }
  if (jumpedMs < -clocksDifferMs) {
    const words = `was set back by ${span(-jumpedMs)}`;
    return { ok: false, words, what: `The clock ${words} while this program ran`, fix };
  }
  return { ok: true, words: "not before the newest session" };
}

function span(ms: number): string {
  return formatDurationMs(Math.round(ms / 1000) * 1000);
}

/** The next sidecar that starts stops them: so long nobody need worry. */
const startsWithinMs = 600_000;

export const leftOverCheck: HealthCheck = {
  name: "left over",
  isVital: false,
  look: async () => {
    const found = await leftOvers();
    if (found.length === 0) return { ok: true, words: "no agent whose sidecar is gone" };
    const pids = found.map(({ pid }) => pid).join(", ");
    const words = `${found.length} whose sidecar is gone: process ${pids}`;
    const isLong = found.some(({ sinceMs }) => Date.now() - sinceMs > startsWithinMs);
    return {
      ok: !isLong,
      words,
      what: `Agents run on whose sidecar is gone: process ${pids}`,
      fix: "start a sidecar, which stops them, or end them yourself",
    };
  },
};
