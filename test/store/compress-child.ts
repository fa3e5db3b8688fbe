/** Compresses a session again and again, in a process of its own, until it is killed: `node compress-child.js URL ID`. */
import { writeSync } from "node:fs";
import type { SessionId } from "../../src/base/ids.ts";
import { openStore } from "../../src/store/open.ts";
import { leaseOf, mustGet, someEntries } from "../conformance/samples.ts";

const [, , url = "", id = ""] = process.argv;
const store = await openStore(url);
const lease = await leaseOf(store, id as SessionId);
writeSync(1, "begun\n");
for (;;) {
  await store.compress(id as SessionId, lease);
  const { headSeq } = await mustGet(store, id as SessionId);
  // Something new to be compressed, of which the parent need not know how much there is.
  await store.seal(
    id as SessionId,
    { from: headSeq + 1, head: headSeq },
    someEntries(200, headSeq + 1),
    lease,
  );
}
