/** One session's expectation against one view of it. */
import type { ExpectedSession } from "./expected.ts";
import type { Rule, Violation } from "./history.ts";
import type { Observation } from "./observe.ts";
import { addsUp, isState, stampName, thingKey, type Stamp } from "./stamps.ts";

export function compare(expected: ExpectedSession, seen: Observation): Violation[] {
  const blame = (rule: Rule, what: string, ...about: readonly string[]): Violation => ({
    rule,
    sessionId: expected.id,
    what: `${what} (in ${seen.where})`,
    about,
  });
  const found = byThing(seen.stamps);
  return [
    ...seen.torn.map((text) => blame(3, `a text is not whole: ${text}`)),
    ...strangers(expected, found).map((key) => blame(2, `${key} belongs to no prompt of the session`, key)),
    ...[...found].flatMap(([key, stamps]) => sequenceFaults(key, stamps).map((what) => blame(2, what, key))),
    ...lost(expected, found, seen).map(([what, key]) => blame(1, what, key)),
    ...disorder(expected, found, seen).map(([what, ...keys]) => blame(2, what, ...keys)),
    ...staleState(expected, seen).map(([what, ...keys]) => blame(2, what, ...keys)),
  ];
}

type Things = ReadonlyMap<string, readonly Stamp[]>;

/** In the order of first appearance. */
function byThing(stamps: readonly Stamp[]): Things {
  const things = new Map<string, Stamp[]>();
  for (const stamp of stamps) {
    const key = thingKey(stamp);
    const known = things.get(key);
    if (known === undefined) things.set(key, [stamp]);
    else known.push(stamp);
  }
  return things;
}

function strangers({ prompts }: ExpectedSession, found: Things): string[] {
  return [...found].flatMap(([key, [first]]) => (first && prompts.has(first.prompt) ? [] : [key]));
}

/** Pieces rise; where they add up, none is missing in between. */
function sequenceFaults(key: string, stamps: readonly Stamp[]): string[] {
  let last = 0;
  for (const stamp of stamps) {
    const { count, thing } = stamp;
    if (count <= last) return [`${stampName(stamp)} comes after ${key}.${last}: doubled, or out of order`];
    if (addsUp(thing) && count !== last + 1) return [`${stampName(stamp)} follows ${key}.${last}: a gap`];
    last = count;
  }
  return [];
}

/** What the client was sent and is not there. Of state the last in the session stands for all. */
function lost({ told }: ExpectedSession, found: Things, { shows }: Observation): [string, string][] {
  const faults: [string, string][] = [];
  const prompts = new Set<string>();
  for (const [key, { stamp, count }] of told) {
    if (!shows(stamp.thing)) continue;
    prompts.add(stamp.prompt);
    const last = Math.max(0, ...(found.get(key) ?? []).map((each) => each.count));
    const isReplaced = isPlan(stamp.thing) && [...found.values()].some(([first]) => isPlan(first?.thing));
    if (last < count && !isState(stamp.thing) && !isReplaced)
      faults.push([`the client was sent ${key} up to ${count}, found up to ${last}`, key]);
  }
  for (const prompt of prompts) {
    const key = `${prompt}.p0`;
    if (!found.has(key)) faults.push([`the client saw ${prompt} being answered, but ${key} is gone`, key]);
  }
  return faults;
}

/** A session has one plan at a time: that of another turn that runs as well takes its place. */
function isPlan(thing = ""): boolean {
  return thing.startsWith("l");
}

/** Things of one line stand in the order in which a client first saw them, each behind its prompt. */
function disorder({ told }: ExpectedSession, found: Things, { shows }: Observation): [string, ...string[]][] {
  const places = new Map([...found.keys()].map((key, place) => [key, place]));
  const faults: [string, ...string[]][] = [];
  const lasts = new Map<string, { key: string; place: number }>();
  for (const [key, { stamp, liveFor }] of told) {
    const place = places.get(key);
    const { prompt, thing } = stamp;
    if (place === undefined || liveFor === undefined || thing === "p0" || !shows(thing)) continue;
    // Of turns that run together each plan takes the place of the other's, wherever that stood.
    if (isState(thing) || isPlan(thing)) continue;
    const line = `${liveFor} ${lineOf(thing)}`;
    const last = lasts.get(line);
    if (last !== undefined && place < last.place)
      faults.push([`${key} stands before ${last.key}`, key, last.key]);
    if (place < (places.get(`${prompt}.p0`) ?? -1)) faults.push([`${key} stands before its prompt`, key]);
    lasts.set(line, { key, place });
  }
  return faults;
}

/** Text without a message id (an odd thing) goes on with the text before it, whatever stands between. All else has one order. */
function lineOf(thing: string): string {
  const kind = thing.charAt(0);
  const hasId = Number(thing.slice(1)) % 2 === 0;
  return "mh".includes(kind) && !hasId ? kind : "all else";
}

/** A state that the client knows to be out of date must not be the one that is left. */
function staleState({ states }: ExpectedSession, seen: Observation): [string, ...string[]][] {
  const left = seen.stamps.filter(({ thing }) => isState(thing));
  const [last, newest] = [left.at(-1), states.at(-1)];
  if (newest === undefined) return [];
  if (last === undefined) return [[`state ${newest} is gone`, newest.replace(/\.\d+$/, "")]];
  const name = stampName(last);
  const isStale = states.includes(name) && name !== newest;
  return isStale ? [[`${name} is left of the state, but ${newest} came later`, thingKey(last)]] : [];
}
