/** Conversations to be searched: words of natural frequency, code, Chinese and Japanese. The same ones every time. */
import { entry } from "./store.mjs";

/** Numbers from 0 to 1 that are always the same (mulberry32). */
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const syllables =
  "ka ron ti mel so var en dis pra ul to fer in qua lor be nis gat mo cher ser al wen dro pi".split(" ");
const common =
  "the of to and a in is it you that for on with as this be are not we can file code test error so if from at or have".split(
    " ",
  );
const characters = [...Array(2000).keys()].map((n) => String.fromCharCode(0x4e00 + n * 7));

/** The n-th word of a language; the first ones are short and common. */
export function word(n) {
  if (n < common.length) return common[n];
  let text = "";
  for (let rest = n; rest > 0; rest = Math.floor(rest / syllables.length))
    text += syllables[rest % syllables.length];
  return text;
}

export function corpus({ words = 60_000, seed = 1 } = {}) {
  const random = randomFrom(seed);
  // Zipf: how often a word is said falls with its rank.
  const rank = () => Math.min(words - 1, Math.floor(Math.exp(random() * Math.log(words))));
  const some = (least, most) => least + Math.floor(random() * (most - least));
  // Words that follow one another do so again and again.
  const sentences = Array.from({ length: 20_000 }, () =>
    Array.from({ length: some(3, 9) }, () => word(rank())).join(" "),
  );
  const prose = () =>
    Array.from({ length: some(4, 19) }, () => sentences[some(0, sentences.length)]).join(" ");
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  // A project has its names, and says them again and again; a language has its words.
  const names = Array.from({ length: 4000 }, () => word(rank()) + capital(word(rank())));
  const denseWords = Array.from({ length: 8000 }, () =>
    Array.from({ length: some(1, 4) }, () => characters[Math.floor(random() ** 2 * 2000)]).join(""),
  );
  const of = (list) =>
    list[Math.min(list.length, Math.floor(Math.exp(random() * Math.log(list.length)))) - 1] ?? list[0];
  const name = () => of(names);
  const code = () =>
    Array.from(
      { length: some(3, 14) },
      () => `  const ${name()} = await ${name()}(${word(rank())}_${word(rank())}, "src/${word(rank())}.ts");`,
    ).join("\n");
  const dense = () => Array.from({ length: some(15, 70) }, () => of(denseWords)).join("");
  const text = () => {
    const kind = random();
    return kind < 0.72 ? prose() : kind < 0.92 ? code() : dense();
  };
  const chunk = (sessionUpdate) =>
    entry("update", { update: { sessionUpdate, content: { type: "text", text: text() } } });
  const call = () =>
    entry("update", {
      update: {
        sessionUpdate: "tool_call",
        toolCallId: String(some(0, 1e9)),
        title: `Read src/${word(rank())}.ts`,
        status: "completed",
        content: [{ type: "content", content: { type: "text", text: code() } }],
      },
    });
  /** A turn of `messages` messages, and its end. */
  return {
    text,
    turn: (messages) => [
      entry("prompt", { prompt: [{ type: "text", text: text() }] }),
      ...Array.from({ length: messages - 1 }, (_, n) =>
        n % 4 === 2 ? call() : chunk(n % 4 === 1 ? "agent_thought_chunk" : "agent_message_chunk"),
      ),
      entry("end", { result: { stopReason: "end_turn" } }),
    ],
    query: () => {
      const kind = random();
      if (kind < 0.4) return word(rank());
      if (kind < 0.7) return `${word(rank())} ${word(rank())}`;
      // A phrase that somebody remembers was said.
      if (kind < 0.8) return `"${prose().split(" ").slice(3, 6).join(" ")}"`;
      if (kind < 0.9) return `${word(rank())} -${word(rank())}`;
      return of(denseWords);
    },
  };
}
