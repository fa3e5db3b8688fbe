/** Whether the text of an entry without a checksum is as it was written, as far as that shows. */
import { isUtf8 } from "node:buffer";
import type { Database, Statement } from "../../../sqlite/engine.ts";
import { isJsonObjectText } from "../../../base/json.ts";

/** What no JSON text that we wrote contains, or seldom: pages of another file, or of none, are full of it. */
const strange = /[\u0000-\u001f\ufffd]/;

/** How bytes that are no UTF-8 are shown; a text may also hold the character itself. */
const replacement = "\ufffd";

export class SoundText {
  readonly #bytes: Statement<[number, number], Buffer>;

  constructor(db: Database) {
    this.#bytes = db
      .prepare<[number, number], Buffer>("SELECT CAST(data AS BLOB) FROM entries WHERE key = (? << 32) | ?")
      .pluck();
  }

  /** The quick look that every read can afford. */
  mayBeDamaged(data: string): boolean {
    return strange.test(data);
  }

  /** Looks at the text of entry `seq` in journal `no`, which was read as `data`. */
  isDamaged(no: number, seq: number, data: string): boolean {
    if (!isJsonObjectText(data)) return true;
    if (!data.includes(replacement)) return false;
    const bytes = this.#bytes.get(no, seq);
    return bytes !== undefined && !isUtf8(bytes);
  }
}
