/** Records that were read, for as long as nobody has written to the database since. */
import type { SessionId } from "../../../base/ids.ts";
import { RecentMap } from "../../../base/recent-map.ts";
import type { SessionRecord } from "../../contract.ts";
import { frozenCopy } from "../../copy.ts";

const mostKnown = 256;

/** What tells whether anything has been written. */
export interface Versions {
  /** How often we have. */
  readonly written: number;
  /** Another value whenever somebody else has. To ask costs a third of reading a record. */
  othersVersion(): unknown;
}

/** To ask whether others have written costs a third of reading a record, so that whoever writes in between never asks. */
export class KnownRecords {
  readonly #versions: Versions;
  readonly #known = new RecentMap<SessionId, SessionRecord>(mostKnown);
  #written = -1;
  #othersVersion: unknown;

  constructor(versions: Versions) {
    this.#versions = versions;
  }

  /** A record that is known is frozen. @param read the record as it stands in the database now */
  get(id: SessionId, read: () => SessionRecord | undefined): SessionRecord | undefined {
    const { written } = this.#versions;
    if (written !== this.#written) {
      this.#known.clear();
      this.#written = written;
      return read();
    }
    // Before the record is read: what is written between the two is seen the next time.
    const othersVersion = this.#versions.othersVersion();
    if (othersVersion !== this.#othersVersion) this.#known.clear();
    this.#othersVersion = othersVersion;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const record = read();
    if (record === undefined) return undefined;
    const frozen = frozenCopy(record);
    this.#known.set(id, frozen);
    return frozen;
  }
}
