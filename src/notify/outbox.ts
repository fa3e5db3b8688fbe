/**
 * Letters on disk, until they have been delivered: a file each, named after the process that is to deliver it, and safe
 * when `put` returns. What a process that is gone has left is taken over by whoever asks first.
 */
import fs from "node:fs/promises";
import path from "node:path";
import { makeDirectory } from "../base/disk.ts";
import { systemCodeOf } from "../base/errors.ts";
import { isRecord } from "../base/json.ts";
import type { Letter } from "./letter.ts";
import { elsewhereMs, isGone, thisOwner, uselessMs, type Owner } from "../base/owner.ts";

/** All processes together leave no more than so many there. */
const mostLetters = 10_000;
/** How often that is counted. */
const countedEach = 64;

const named = /^([0-9A-HJKMNP-TV-Z]{26})\.(\d{1,10})-(\w{0,40})-([0-9a-f]{12})\.json$/;
const unfinished = /^\..*\.tmp$/;

export class Outbox {
  readonly #folder: string;
  readonly #own = thisOwner();
  #puts = 0;
  #there = 0;

  /** @param folder made when the first letter is put there */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** On return it survives a power cut. False when there is no room for more. Errors: the system's own. */
  async put(letter: Letter): Promise<boolean> {
    if (this.#puts % countedEach === 0) {
      makeDirectory(this.#folder);
      this.#there = (await fs.readdir(this.#folder)).length;
    }
    if (this.#there >= mostLetters) {
      this.#puts = 0;
      return false;
    }
    this.#puts += 1;
    this.#there += 1;
    const file = this.#fileOf(letter.id);
    const partial = path.join(this.#folder, `.${path.basename(file)}.tmp`);
    const handle = await fs.open(partial, "wx", 0o600);
    try {
      await handle.writeFile(JSON.stringify(letter));
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await fs.rename(partial, file);
    await synced(this.#folder);
    return true;
  }

  /** It has been delivered, or never will be. */
  async done({ id }: Letter): Promise<void> {
    await fs.rm(this.#fileOf(id), { force: true });
  }

  /**
   * What processes that are gone have left for these receivers; from now on it is ours. The oldest first. What is for
   * others waits for who knows them, until it is too old. Errors: the system's own.
   */
  async takeOver(receivers: ReadonlySet<string>): Promise<readonly Letter[]> {
    const taken: Letter[] = [];
    for (const name of await this.#names()) {
      const [, id = "", pid, startedAt = "", space = ""] = named.exec(name) ?? [];
      const owner = { pid: Number(pid), startedAt, space };
      if (id !== "" && (await this.#isLeft(name, owner))) {
        const letter = await this.#taken(name, id, receivers);
        if (letter !== undefined) taken.push(letter);
      } else if (unfinished.test(name) && (await this.#ageOf(name)) > elsewhereMs)
        await fs.rm(path.join(this.#folder, name), { force: true });
    }
    return taken;
  }

  async #isLeft(name: string, owner: Owner): Promise<boolean> {
    return isGone(owner, this.#own) ?? (await this.#ageOf(name)) > elsewhereMs;
  }

  /** Undefined when another process was quicker, it is for somebody else, or it is none. */
  async #taken(name: string, id: string, receivers: ReadonlySet<string>): Promise<Letter | undefined> {
    const left = path.join(this.#folder, name);
    try {
      const letter = letterIn(await fs.readFile(left, "utf8"));
      if (letter?.id === id && receivers.has(letter.to)) {
        await fs.rename(left, this.#fileOf(id));
        return letter;
      }
      if (letter?.id !== id || (await this.#ageOf(name)) > uselessMs) await fs.rm(left, { force: true });
    } catch (error) {
      if (systemCodeOf(error) !== "ENOENT") throw error;
    }
    return undefined;
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await fs.readdir(this.#folder)).sort();
    } catch (error) {
      if (systemCodeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  async #ageOf(name: string): Promise<number> {
    try {
      return Date.now() - (await fs.stat(path.join(this.#folder, name))).mtimeMs;
    } catch {
      // Another process has it by now.
      return 0;
    }
  }

  #fileOf(id: string): string {
    const { pid, startedAt, space } = this.#own;
    return path.join(this.#folder, `${id}.${pid}-${startedAt}-${space}.json`);
  }
}

/** As `syncDirectory`, but nobody waits: a turn may run. */
async function synced(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function letterIn(text: string): Letter | undefined {
  try {
    const found: unknown = JSON.parse(text);
    const isLetter =
      isRecord(found) && [found.id, found.to, found.body].every((each) => typeof each === "string");
    return isLetter ? (found as unknown as Letter) : undefined;
  } catch {
    return undefined;
  }
}
