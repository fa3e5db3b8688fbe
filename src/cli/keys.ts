/** `keys`: what a store is encrypted with. */
import { writeFile } from "node:fs/promises";
import { SidecarError, systemCodeOf, reasonOf } from "../base/errors.ts";
import { keysStatus as statusOf, newKey, rotateKeys as rotate } from "../care/keys.ts";
import { newSigningKey } from "../audit/heads.ts";
import { assertStoreThere } from "../care/maintenance.ts";
import type { Config } from "../config/config.ts";
import { withAudit } from "./audited.ts";
import type { Invocation, Io } from "./command.ts";
import { configOf } from "./configured.ts";
import { countText, print, printJson } from "./print.ts";

/** To standard output, or to a file that is not there yet and that nobody else can read. */
export async function generateKey(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  return withAudit(config, io, (audit) =>
    audit.around({ what: "key.generate", facts: { file: fileFrom(invocation) } }, () =>
      generate(invocation, io),
    ),
  );
}

function fileFrom({ flags }: Invocation): string | undefined {
  return typeof flags["out"] === "string" ? flags["out"] : undefined;
}

async function generate(invocation: Invocation, io: Io): Promise<number> {
  const out = fileFrom(invocation);
  if (invocation.flags["signing"] === true) return generatePair(out, io);
  const key = `${newKey()}\n`;
  if (out === undefined) {
    await print(io, key);
    return 0;
  }
  await writeKey(out, key);
  await print(
    io,
    `A new key is in ${out}; keep a copy of it: without it nothing that is encrypted with it can be read\n`,
  );
  return 0;
}

/** Whoever has the private one signs; whoever has the public one can tell that it was signed. */
async function generatePair(out: string | undefined, io: Io): Promise<number> {
  const { privateKey, publicKey } = newSigningKey();
  if (out === undefined) {
    await print(io, privateKey + publicKey);
    return 0;
  }
  await writeKey(out, privateKey);
  await writeKey(`${out}.pub`, publicKey, 0o644);
  await print(io, `A new key to sign with is in ${out}, and the one to verify with in ${out}.pub\n`);
  return 0;
}

async function writeKey(out: string, key: string, mode = 0o600): Promise<void> {
  try {
    await writeFile(out, key, { flag: "wx", mode, flush: true });
  } catch (error) {
    const isThere = systemCodeOf(error) === "EEXIST";
    if (isThere)
      throw new SidecarError("FILE_EXISTS", `${out} is there already: a key is never written over`);
    throw new SidecarError("FILE_FAILED", `The key cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}

export async function keysStatus(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  assertStoreThere(config.store);
  return printStatus(invocation, io, config);
}

async function printStatus({ flags }: Invocation, io: Io, config: Config): Promise<number> {
  const status = await statusOf(config.store, config);
  if (flags["json"]) await printJson(io, status);
  else await print(io, `${told(status)}\n`);
  return 0;
}

function told({
  encrypted,
  keyIds,
  rotations,
  configured,
  isCurrent,
}: Awaited<ReturnType<typeof statusOf>>): string {
  if (!encrypted) return "The store is not encrypted";
  const keys = `encrypted with key ${keyIds.join(", ")}, rotated ${countText(rotations, "time")}`;
  if (configured === undefined) return `${keys}; no key is named here`;
  return isCurrent
    ? `${keys}; this is the configured one`
    : `${keys}; the configured one is ${configured}: rotate`;
}

export async function rotateKeys(invocation: Invocation, io: Io): Promise<number> {
  const { config } = await configOf(invocation, io);
  assertStoreThere(config.store);
  await withAudit(config, io, (audit) =>
    audit.around({ what: "key.rotate" }, () => rotate(config.store, config)),
  );
  return printStatus(invocation, io, config);
}
