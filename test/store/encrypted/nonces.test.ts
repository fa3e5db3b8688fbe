/** No nonce is used twice, however many entries are written and whichever store writes them. */
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { thisHolder } from "../../../src/session/holder.ts";
import type { NewEntry } from "../../../src/store/contract.ts";
import { Nonces } from "../../../src/store/encrypted/box.ts";
import { Keyring } from "../../../src/store/encrypted/keyring.ts";
import { encryptedStore } from "../../../src/store/encrypted/store.ts";
import { openMemoryStore } from "../../../src/store/memory/memory.ts";
import { aSession } from "../../conformance/samples.ts";

const taking = { holder: thisHolder(), ttlMs: 60_000, mayTake: () => true };
const same: NewEntry = { kind: "message", atMs: 1, data: "{}" };

async function noncesOfAStore(): Promise<string[]> {
  const inside = openMemoryStore();
  await using store = await encryptedStore(inside, new Keyring(randomBytes(32)));
  const { id } = await store.create(aSession());
  const { lease } = await store.acquire(id, taking);
  let head = 0;
  for (const count of [1, 700, 1, 1, 300])
    head = await store.append(id, head, Array<NewEntry>(count).fill(same), lease);
  const nonces: string[] = [];
  for await (const page of inside.read(id))
    for (const { data } of page) nonces.push(/^\{"\$enc":"1\.([\w+/]{16})/.exec(data)?.[1] ?? "");
  return nonces;
}

it("is different for each entry of a store, and in each store", async () => {
  const all = [...(await noncesOfAStore()), ...(await noncesOfAStore())];
  expect(all).toHaveLength(2 * 1003);
  expect(new Set(all).size).toBe(all.length);
  expect(all).not.toContain("");
});

it("stays what it was when others are asked for", () => {
  const nonces = new Nonces();
  const asked = Array.from({ length: 2000 }, () => nonces.next());
  const texts = asked.map((nonce) => Buffer.from(nonce).toString("hex"));
  expect(texts.every((text) => /^[0-9a-f]{24}$/.test(text))).toBe(true);
  expect(new Set(texts).size).toBe(texts.length);
});
