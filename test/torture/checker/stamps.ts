/**
 * Stamps: marks in everything that a torture client or its agent says, so that loss, doubling and disorder
 * show in any text, however chunks were joined on the way. `⟦c7.m1.3.40⟧` is the third piece of thing `m1`
 * of prompt `c7`, followed by 40 letters that depend on the stamp alone. The stamping agent
 * (test/fixtures/agents/stamping.mjs) writes the same.
 *
 * The first letter of a thing says what it is:
 * `p` the prompt itself; `m`, `h` message and thought, whose pieces add up (an even number has a message id); `t`, `l` tool call and plan, of
 * which the last piece stands for all; `s` state (a title), of which the last in the session stands;
 * `q` a request of the agent to the client; `e` the end of the turn.
 */

export interface Stamp {
  readonly prompt: string;
  readonly thing: string;
  /** Counts the pieces of the thing, from 1. */
  readonly count: number;
}

const form = /⟦([a-z]+\d+)\.([a-z]\d+)\.(\d+)\.(\d+)⟧/g;
const letters = "abcdefghijklmnopqrstuvwxyz";

export function stampText({ prompt, thing, count }: Stamp, padChars = 0): string {
  return `⟦${prompt}.${thing}.${count}.${padChars}⟧${filler(count, padChars)}`;
}

/** `c7.m1`: the thing within the whole run. */
export function thingKey({ prompt, thing }: Stamp): string {
  return `${prompt}.${thing}`;
}

export function stampName(stamp: Stamp): string {
  return `${thingKey(stamp)}.${stamp.count}`;
}

/** Its pieces add up; none may be missing. */
export function addsUp(thing: string): boolean {
  return "pmhqe".includes(thing.charAt(0));
}

/** Shown to the client when the session is loaded. */
export function isReplayed(thing: string): boolean {
  return "pmhtls".includes(thing.charAt(0));
}

/** Only the session's last one is kept. */
export function isState(thing: string): boolean {
  return thing.startsWith("s");
}

/** The stamps in a text, in order. */
export function stampsIn(text: string): Stamp[] {
  if (!text.includes("⟦")) return [];
  return [...text.matchAll(form)].map(([, prompt = "", thing = "", count]) => ({
    prompt,
    thing,
    count: Number(count),
  }));
}

/** What is wrong with a text that must consist of stamps and their letters; undefined when nothing is. */
export function damageIn(text: string): string | undefined {
  let at = 0;
  for (const match of text.matchAll(form)) {
    if (match.index !== at) break;
    const [whole, , , count, pad] = match;
    const end = at + whole.length + Number(pad);
    const expected = filler(Number(count), Number(pad));
    if (text.slice(at + whole.length, end) !== expected) break;
    at = end;
  }
  return at === text.length ? undefined : `…${text.slice(Math.max(0, at - 20), at + 60)}…`;
}

function filler(count: number, chars: number): string {
  const start = count % letters.length;
  const turned = letters.slice(start) + letters.slice(0, start);
  return turned.repeat(Math.ceil(chars / letters.length)).slice(0, chars);
}
