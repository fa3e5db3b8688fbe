/** Time per call: as many calls as fill a span, one after the other. */

/** How many calls filled it the last time, by what was called. */
const known = new WeakMap();

/**
 * Milliseconds per call of `act`, which is called with 0, 1, 2 … and awaited, for about `spanMs`, `most` times at
 * most. `key` is an object that stands for what is measured.
 */
export async function perCall(act, { spanMs, most = Infinity, key }) {
  let calls = Math.min(known.get(key) ?? 1, most);
  for (let done = 0; ; done += calls, calls = nextCalls(calls, most)) {
    const startMs = performance.now();
    for (let i = 0; i < calls; i++) await act(done + i);
    const tookMs = performance.now() - startMs;
    if (tookMs < spanMs / 2 && done + calls < most) continue;
    known.set(key, Math.max(1, Math.round((calls * spanMs) / Math.max(tookMs, 0.001))));
    return tookMs / calls;
  }
}

function nextCalls(calls, most) {
  return Math.min(calls * 4, most);
}

/** Milliseconds per call when `actors` each call `act(actor)` again and again, all at once. */
export async function together(actors, act, spanMs) {
  const startMs = performance.now();
  const counts = await Promise.all(
    actors.map(async (actor) => {
      let count = 0;
      for (; count === 0 || performance.now() - startMs < spanMs; count++) await act(actor);
      return count;
    }),
  );
  return (performance.now() - startMs) / counts.reduce((sum, count) => sum + count, 0);
}
