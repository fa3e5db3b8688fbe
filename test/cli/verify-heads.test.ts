/** Signed heads: a chain that was made anew, or cut off at its end, is noticed by who has the public key and the audit log. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  newSigningKey,
  signHead,
  signingKeyFrom,
  verifyHead,
  verifyingKeyFrom,
} from "../../src/audit/heads.ts";
import { openAudit } from "../../src/audit/open.ts";
import { newSessionId, type SessionId } from "../../src/base/ids.ts";
import { collect } from "../../src/session/pages.ts";
import { SessionRegistry } from "../../src/session/registry.ts";
import { openFileStore } from "../../src/store/file/store.ts";
import { leaseOf } from "../conformance/samples.ts";
import { cli, scratchFolder } from "./harness.ts";

const folder = scratchFolder();
const place = (name: string) => path.join(folder, name);
const key = place("signing.key");
const say = (content: string) => ({ role: "user" as const, content });

async function said(directory: string, texts: readonly string[], to?: SessionId) {
  const store = await openFileStore({ directory });
  const audit = openAudit({ auditFile: place("audit.jsonl"), auditSigningKey: `file:${key}` });
  const registry = new SessionRegistry({ store, audit });
  const id = to ?? (await registry.create({ cwd: "/tmp" })).id;
  for (const text of texts) await registry.addMessage(id, say(text));
  await audit.close();
  await store.close();
  return id;
}

async function verified(name: string, ...more: readonly string[]) {
  const url = `file:${place(name)}`;
  const flags = ["--audit-file", place("audit.jsonl"), "--audit-signing-key", `file:${key}.pub`];
  const { status, out, err } = await cli(["verify", "--store", url, "--json", ...flags, ...more]);
  expect(err).toBe("");
  return { status, found: JSON.parse(out) as Record<string, unknown> };
}

describe("signed heads [issue 11.2]", () => {
  it("are made with a key of our own making, and tell what was cut off or made anew", async () => {
    const made = await cli(["keys", "generate", "--signing", "--out", key, "--audit", "off"]);
    expect(made).toMatchObject({ status: 0, out: expect.stringContaining(`${key}.pub`) as string });
    expect([key, `${key}.pub`].map((file) => fs.statSync(file).mode & 0o777)).toEqual([0o600, 0o644]);
    const id = await said(place("store"), ["one", "two"]);
    fs.cpSync(place("store"), place("shorter"), { recursive: true });
    await said(place("store"), ["three"], id);
    expect(await verified("store")).toMatchObject({
      status: 0,
      found: { integrity: { changed: [] }, completeness: { signed: 3, missing: [] } },
    });
    expect(await verified("store", "--session", id)).toMatchObject({ status: 0 });
    // An older copy holds by itself, and lacks its end.
    expect(await verified("shorter")).toMatchObject({
      status: 5,
      found: {
        damages: [],
        integrity: { changed: [] },
        completeness: { signed: 2, missing: [{ sessionId: id, entries: { from: 3, through: 3 } }] },
      },
    });
    // Whoever writes all links anew needs no key for that.
    const forged = await openFileStore({ directory: place("store") });
    const entries = await collect(forged.read(id));
    const other = await openFileStore({ directory: place("other") });
    const registry = new SessionRegistry({ store: other });
    const { id: of } = await registry.create({ cwd: "/tmp" });
    for (const text of ["one", "TWO", "three"]) await registry.addMessage(of, say(text));
    const anew = await collect(other.read(of));
    const lease = await leaseOf(forged, id);
    await forged.rewrite(id, 1, anew, lease);
    await forged.release(lease);
    await Promise.all([forged.close(), other.close()]);
    expect(anew).toHaveLength(entries.length);
    const { status, found } = await verified("store");
    expect([status, found["damages"]]).toEqual([5, []]);
    expect(found).toMatchObject({
      integrity: { changed: [{ sessionId: id, entries: { from: 1, through: 1 } }] },
    });
  });

  it("count for nothing when another key has signed them, and without a key nobody asks", async () => {
    const pair = newSigningKey();
    fs.writeFileSync(place("other.pub"), pair.publicKey, { mode: 0o600 });
    const flags = ["--audit-file", place("audit.jsonl"), "--audit-signing-key", `file:${place("other.pub")}`];
    const store = ["--store", `file:${place("shorter")}`];
    const { status, out, err } = await cli(["verify", ...store, ...flags]);
    expect(status).toBe(0);
    expect(err).toMatch(/3 heads in .* are not signed with this key, and count for nothing/);
    expect(out).toContain("completeness: 0 signed heads there, no end is missing\n");
    expect((await cli(["verify", ...store])).out).not.toContain("completeness");
  });

  it("take keys in PEM, base 64 and hexadecimal digits, and refuse others without quoting them", async () => {
    const head = { sessionId: newSessionId(), seq: 7, sha256: "0".repeat(64) };
    const source = (name: string, text: string) => {
      fs.writeFileSync(place(name), text, { mode: 0o600 });
      return `file:${place(name)}`;
    };
    const raw = Buffer.alloc(32, 7);
    const hex = await signingKeyFrom(source("hex", `${raw.toString("hex")}\n`));
    const base64 = await verifyingKeyFrom(source("base64", raw.toString("base64")));
    expect(verifyHead(head, signHead(head, hex), base64)).toBe(true);
    expect(verifyHead({ ...head, seq: 8 }, signHead(head, hex), base64)).toBe(false);
    expect(verifyHead(head, "", base64)).toBe(false);
    for (const text of [
      "",
      "secretsecret",
      raw.toString("hex").slice(2),
      "-----BEGIN PRIVATE KEY-----\nAAAA\n",
    ])
      await expect(signingKeyFrom(source("bad", text))).rejects.toMatchObject({
        code: "KEY_INVALID",
        message: expect.not.stringContaining("secretsecret") as string,
      });
    const { publicKey } = newSigningKey();
    await expect(signingKeyFrom(source("public", publicKey))).rejects.toMatchObject({ code: "KEY_INVALID" });
  });
});
