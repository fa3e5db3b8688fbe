/** One who follows: told what came before, then what is told to all, at the pace at which they read. */
import { isSidecarError } from "../../base/errors.ts";
import { pause } from "../../base/time.ts";
import { problemOf } from "../problems.ts";
import { frameOf, heartbeat, type Frame } from "./frame.ts";
import type { Ring } from "./ring.ts";

/** What is followed. */
export interface Feed {
  readonly ring: Ring;
  /** See `SessionFeed.join`. */
  join(lastId: string | undefined): AsyncGenerator<Frame, Joined>;
  /** What one is told who comes now, whatever one has had; it is behind this id. */
  present?(lastId: string): Frame | undefined;
}

/** From where on one is told what is told to all. */
export interface Joined {
  /** Of the next frame in the ring. */
  readonly number: number;
  /** The id behind which that comes, whatever one has had. */
  readonly lastId: string;
}

/** Whoever follows may be forbidden to while they do: looked at so often. */
const allowedEachMs = 5000;
const retryMs = 50;

/** @param isAllowed rejects with what they are told as the last thing */
export async function* followed(
  feed: Feed,
  lastId: string | undefined,
  isAllowed: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  let last = lastId;
  const check = checking(isAllowed);
  let isNew = true;
  try {
    for (;;) {
      const joined = yield* caughtUp(feed, last, check);
      let { number } = joined;
      last = joined.lastId;
      const present = isNew ? feed.present?.(last) : undefined;
      if (present !== undefined) yield present.bytes;
      isNew = false;
      for (;;) {
        const { more, isClosed } = feed.ring;
        const some = feed.ring.from(number);
        // Too far behind: the rest is read where it stands.
        if (some === undefined) break;
        number = some.end;
        last = some.lastId ?? last;
        if (some.bytes.length > 0) yield some.bytes;
        else if (isClosed) return;
        else {
          await more;
          if (feed.ring.end === number && !feed.ring.isClosed) yield heartbeat;
        }
        await check();
      }
    }
  } catch (error) {
    const { code, detail, status } = problemOf(error);
    yield frameOf("end", last ?? "", { code, detail, status }).bytes;
  }
}

/** Asks when that was long ago. A store that is away, which tells nothing new either, is asked again before what comes next. */
function checking(isAllowed: () => Promise<unknown>): () => Promise<void> {
  let checkedAtMs = performance.now();
  return async () => {
    const nowMs = performance.now();
    if (nowMs - checkedAtMs < allowedEachMs) return;
    try {
      await isAllowed();
      checkedAtMs = nowMs;
    } catch (error) {
      if (!isSidecarError(error, "STORE_UNAVAILABLE")) throw error;
    }
  };
}

/** A turn that is sealed while it is read is read again from where one is. Who reads slowly may be forbidden to meanwhile. */
async function* caughtUp(
  feed: Feed,
  lastId: string | undefined,
  check: () => Promise<void>,
): AsyncGenerator<Uint8Array, Joined> {
  let last = lastId;
  for (;;) {
    const joining = feed.join(last);
    try {
      for (let next = await joining.next(); ; next = await joining.next()) {
        if (next.done === true) return next.value;
        yield next.value.bytes;
        last = next.value.id;
        await check();
      }
    } catch (error) {
      if (!isSidecarError(error, "STORE_CONFLICT")) throw error;
      await pause(retryMs);
    }
  }
}
