/** What every store is asked to do, contenders by turns in every round. */
import { metadataOf, sampleEntries, sessionsPerValue } from "./ours.mjs";
import { perCall, together } from "./timing.mjs";

/** A call that takes longer than this is made once, and not at all at ten times the size. */
const longestMs = 500;
const hundred = sampleEntries(100);
const one = hundred.slice(0, 1);
const keys = new Map();

/** Stands for what is measured, for `perCall`. */
function keyOf(...names) {
  const name = names.join(" ");
  if (!keys.has(name)) keys.set(name, {});
  return keys.get(name);
}

/** Those that write a session as a whole would take forever in steps. */
async function fill(subject, session, entries) {
  const batch = subject.fillsAtOnce ? sampleEntries(entries) : hundred;
  const append = subject.fill ?? subject.append;
  while (session.head < entries) session.head = await append(session, batch.slice(0, entries - session.head));
  return session;
}

/** ms per get, append of 1 and of 100, and read of 10,000 entries, as `NAME get`, `append`, `batch`, `read`. */
export async function shortSessions(subjects, samples, { rounds, spanMs, most }) {
  const places = await Promise.all(
    subjects.map(async (subject) => ({
      subject,
      some: await Promise.all(Array.from({ length: 50 }, (_, i) => subject.session(metadataOf(i)))),
      long: await fill(subject, await subject.session(metadataOf(0)), 10_000),
    })),
  );
  for (let round = -1; round < rounds; round++) {
    for (const { subject, some, long } of places) {
      const note = async (what, act) => {
        const took = await perCall(act, { spanMs, most, key: keyOf(subject.name, what) });
        // The first round warms everything up and does not count.
        if (round >= 0) samples.add(`${subject.name} ${what}`, took);
      };
      if (subject.get !== undefined) await note("get", (i) => subject.get(some[i % some.length]));
      await note("append", await appends(subject, one));
      await note("batch", await appends(subject, hundred));
      await note("read", () => mustBe(10_000, subject.read(long)));
      if (subject.flush === undefined) continue;
      const act = await appends(subject, one);
      await note("flush", async (i) => (await act(i), subject.flush()));
    }
  }
}

/** Appends to a session that is made for them. */
async function appends(subject, entries) {
  const session = await subject.session(metadataOf(0));
  return async () => {
    session.head = await subject.append(session, entries);
  };
}

async function mustBe(count, found) {
  if ((await found) !== count) throw new Error(`${await found} found, not ${count}`);
}

/** ms per append when so many sessions are written to at once, as `NAME 8 at once`. */
export async function atOnce(subjects, samples, { rounds, spanMs }) {
  const sessions = await Promise.all(
    subjects.map((subject) => Promise.all(Array.from({ length: 64 }, () => subject.session(metadataOf(0))))),
  );
  const act = (subject) => async (session) => {
    session.head = await subject.append(session, one);
  };
  for (let round = -1; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      for (const count of [1, 8, 64]) {
        const took = await together(sessions[i].slice(0, count), act(subject), spanMs * 2);
        if (round >= 0) samples.add(`${subject.name} ${count} at once`, took);
      }
    }
  }
}

/** ms per page of 50 of a list, the first one and one nine tenths down, by folder and time too where the
 * subject has `filters`, and per search: `first`, `deep`, `deep cwd`, `deep before`, `search`. */
export async function lists(subjects, samples, { rounds, spanMs, sessions, makersAtOnce = 1 }) {
  const places = [];
  for (const subject of subjects.filter(({ page }) => page !== undefined)) {
    if (subject.listed !== undefined) await makeListed(subject, sessions, makersAtOnce);
    await subject.listsFilled?.();
    places.push({ subject, deep: await cursorAt(subject, Math.floor(sessions * 0.9)) });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { subject, deep } of places) {
      const note = async (what, act) => {
        if (samples.median(`${subject.name} ${what}`) > longestMs) return;
        samples.add(
          `${subject.name} ${what}`,
          await perCall(act, { spanMs, key: keyOf(subject.name, what) }),
        );
      };
      await note("first", async () => mustBe(50, (await subject.page()).found));
      await note("deep", async () => mustBe(50, (await subject.page(deep)).found));
      for (const [what, filter] of Object.entries(subject.filters ?? {}))
        await note(`deep ${what}`, async () => mustBe(50, (await subject.page(deep, 50, filter)).found));
      // One of a thousand sessions has it.
      const { project } = metadataOf(7);
      await note("search", () => subject.find({ project }));
    }
  }
}

async function makeListed(subject, sessions, makersAtOnce) {
  let made = 0;
  const make = async () => {
    while (made < sessions) await subject.listed(metadataOf(made++ + sessionsPerValue));
  };
  await Promise.all(Array.from({ length: makersAtOnce }, make));
}

async function cursorAt(subject, offset) {
  if (subject.cursorAt !== undefined) return subject.cursorAt(offset);
  let cursor;
  for (let at = 0; at < offset;) {
    const page = await subject.page(cursor, Math.min(1000, offset - at));
    cursor = page.cursor;
    at += page.found;
  }
  return cursor;
}

/** ms per append to sessions of each size, and per read of their last 100 entries: `append at 1000`, `tail at 1000`. */
export async function growth(subjects, samples, { rounds, spanMs, sizes }) {
  for (const size of sizes) {
    const took = ({ name }, what) => samples.median(`${name} ${what} at ${size / 10}`) ?? 0;
    const waited = (subject) => Math.max(took(subject, "append"), took(subject, "tail")) <= longestMs;
    const places = [];
    for (const subject of subjects.filter(waited)) {
      places.push({ subject, session: await fill(subject, await subject.session(metadataOf(0)), size) });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { subject, session } of places) {
        const note = async (what, act) => {
          if (samples.median(`${subject.name} ${what} at ${size}`) > longestMs) return;
          const took = await perCall(act, { spanMs, most: 100, key: keyOf(subject.name, what, size) });
          samples.add(`${subject.name} ${what} at ${size}`, took);
        };
        await note("append", async () => (session.head = await subject.append(session, one)));
        await note("tail", () => mustBe(100, subject.read(session, session.head - 99)));
      }
    }
  }
}
