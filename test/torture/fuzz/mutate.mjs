/** Messages that went wrong on the way, by chance: `random` is a function that gives 0 ≤ x < 1. */

const int = (random, most) => Math.floor(random() * (most + 1));
const pick = (random, items) => items[int(random, items.length - 1)];

/** Values that programs tend to be surprised by. */
const surprises = [
  "null",
  "true",
  "-1",
  "0",
  "1e999",
  "9007199254740993",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  "[]",
  "{}",
  "[[[]]]",
  '{"__proto__":{"x":1}}',
  '{"constructor":null}',
  '"' + "x".repeat(5000) + '"',
  "[".repeat(500) + "]".repeat(500),
];

const oddBytes = ["\n", "\r\n", "\0", "\u2028", "⟧", '"', "\\", "{", "}", "[", ",", ":", "\ufeff", "\t", "é"];

const ways = [
  /** A value is exchanged for another one. */
  (random, text) => {
    const values = [
      ...text.matchAll(/(?<=[:[,])("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|\{\}|\[\])/g),
    ];
    if (values.length === 0) return text;
    const { index, 0: old } = pick(random, values);
    return text.slice(0, index) + pick(random, surprises) + text.slice(index + old.length);
  },
  /** A field is left out, or its name misspelt. */
  (random, text) => {
    const names = [...text.matchAll(/"(\w+)":/g)];
    if (names.length === 0) return text;
    const { index, 0: old } = pick(random, names);
    const name = random() < 0.5 ? '"__proto__":' : `"${old[1]}":`;
    return text.slice(0, index) + name + text.slice(index + old.length);
  },
  (random, text) => text.slice(0, int(random, text.length)),
  (random, text) => text.slice(int(random, text.length)),
  (random, text) => {
    const at = int(random, text.length);
    return text.slice(0, at) + pick(random, oddBytes) + text.slice(at + int(random, 1));
  },
  (random, text) => {
    const at = int(random, text.length);
    return text.slice(0, at) + text.slice(at + int(random, 40));
  },
  (random, text) => {
    const [a, b] = [int(random, text.length), int(random, text.length)];
    return text.slice(0, Math.max(a, b)) + text.slice(Math.min(a, b));
  },
  (random, text) => `[${text},${text}]`,
  (random, text) => text + text,
];

/** The text after one to three mishaps. */
export function mutate(random, text) {
  let mutated = text;
  for (let left = 1 + int(random, 2); left > 0; left -= 1) mutated = pick(random, ways)(random, mutated);
  return mutated;
}

/** Bytes that are no message, and perhaps no text. */
export function garbage(random) {
  const bytes = Buffer.alloc(int(random, 200));
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = int(random, 255);
  return bytes;
}

/** Mulberry32. */
export function randomFrom(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
