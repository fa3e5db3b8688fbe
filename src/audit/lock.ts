/**
 * A lock between processes that dies with its holder. Each taking is a file with the next number, which only one can
 * make; the highest number says who has it. So one that was left by a killed process is passed by, never removed from
 * under somebody: what is removed lies far behind.
 */
import {
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { systemCodeOf } from "../base/errors.ts";
import { isSameProcessAlive, processSpace, startOf } from "../base/process.ts";

/** Holders elsewhere (another machine, another container) are taken for dead after this: a lock is held for moments. */
const abandonedMs = 30_000;
/** So many of the last takings stay: whoever looks sees one of them, whatever is renamed meanwhile. */
const kept = 8;
const released = ".free";

interface Taking {
  readonly number: number;
  readonly name: string;
  readonly isFree: boolean;
}

export class ProcessLock {
  readonly #folder: string;
  readonly #space = processSpace();
  readonly #self = `${process.pid} ${startOf(process.pid) ?? ""} ${this.#space}`;

  /** @param folder its own, made when it is first taken */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Returns what gives it back; undefined while somebody has it. Errors: the system's own. */
  tryTake(): (() => void) | undefined {
    const last = this.#takings().at(-1);
    if (last !== undefined && !last.isFree && !this.#isAbandoned(last.name)) return undefined;
    const name = String((last?.number ?? 0) + 1).padStart(16, "0");
    if (!this.#make(name)) return undefined;
    const now = this.#takings();
    if (now.at(-1)?.name !== name) {
      this.#remove(name);
      return undefined;
    }
    for (const old of now.slice(0, -kept)) this.#remove(old.name);
    return () => renameSync(this.#at(name), this.#at(name + released));
  }

  /** Who has it now, as far as can be told. */
  holder(): string {
    const last = this.#takings().at(-1);
    const [pid = "?"] = last === undefined ? [] : this.#ownerOf(last.name).split(" ");
    return `process ${pid}`;
  }

  /** In their order. */
  #takings(): Taking[] {
    const names = this.#names();
    const found = names.flatMap((name) => {
      const [, digits] = /^(\d{16})(?:\.free)?$/.exec(name) ?? [];
      return digits === undefined ? [] : [{ name, number: Number(digits), isFree: name.endsWith(released) }];
    });
    return found.sort((a, b) => a.number - b.number);
  }

  #names(): string[] {
    try {
      return readdirSync(this.#folder);
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
      makeDirectory(this.#folder);
      return [];
    }
  }

  /** False if somebody was quicker. A link has its content from the start; Windows lets not everybody make one. */
  #make(name: string): boolean {
    try {
      if (process.platform === "win32") writeFileSync(this.#at(name), this.#self, { flag: "wx" });
      else symlinkSync(this.#self, this.#at(name));
      return true;
    } catch (error) {
      if (systemCodeOf(error) === "EEXIST") return false;
      throw error;
    }
  }

  #ownerOf(name: string): string {
    try {
      const at = this.#at(name);
      return process.platform === "win32" ? readFileSync(at, "utf8") : readlinkSync(at);
    } catch {
      // Given back at this moment.
      return "";
    }
  }

  #isAbandoned(name: string): boolean {
    const [pid = "", startedAt = "", ...space] = this.#ownerOf(name).split(" ");
    if (pid !== "" && space.join(" ") === this.#space)
      return !isSameProcessAlive({ pid: Number(pid), startedAt });
    const stat = lstatSync(this.#at(name), { throwIfNoEntry: false });
    return stat !== undefined && Date.now() - stat.mtimeMs > abandonedMs;
  }

  #remove(name: string): void {
    try {
      unlinkSync(this.#at(name));
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
    }
  }

  #at(name: string): string {
    return path.join(this.#folder, name);
  }
}
