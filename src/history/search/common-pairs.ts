/**
 * Where two very common words stand together, an index keeps the two as one word besides: half of all messages have both
 * "in" and "to", and each of them would have to be read to find "in to".
 */

const common =
  `a about all also an and any are as at back be been but by can could did do does done even for from get go
  good had has have he her here him his how i if in into is it its just know like make me more most my need new no not
  now of off on one only or other our out over same see set she so some such than that the their them then there these
  they this time to two up us use used very want was way we well were what when where which who why will with work would
  yes you your
  auf das de del dem den der des die du ein eine el en er es est et ich im ist la las le les los mit nicht que se sie
  sind un una und une von y zu`.split(/\s+/);

/** None has more than five letters, each of which is five bits of a number. */
const fullKey = 32 ** 4;

const byKey = new Map(common.map((word) => [keyOf(word), word]));

/** Between the two words of a pair; no word of a text has it. */
const joint = "\ue001";

/** Goes with the words of a text, in order. */
export class CommonPairs {
  #found = "";
  #last: string | undefined;

  /** All that were found, each with a space before it. */
  get found(): string {
    return this.#found;
  }

  /** @param key what `addLetter` has made of the next word, if it is one of ASCII letters */
  add(key: number): void {
    const word = key < 0 ? undefined : byKey.get(key);
    if (word !== undefined && this.#last !== undefined) this.#found += ` ${this.#last}${joint}${word}`;
    this.#last = word;
  }

  addAll(words: readonly { readonly text: string }[]): void {
    for (const { text } of words) this.add(keyOf(text));
  }
}

/** The key of a word that goes on with a letter: -1 for what is too long, or no letter, and so no common word. */
export function addLetter(key: number, code: number): number {
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x7a && key >= 0 && key < fullKey ? (key << 5) | (letter & 31) : -1;
}

/** The pairs in words that stand together. */
export function pairsOf(words: readonly string[]): readonly string[] {
  const pairs = new CommonPairs();
  for (const word of words) pairs.add(keyOf(word));
  return pairs.found.split(" ").slice(1);
}

function keyOf(word: string): number {
  let key = 0;
  for (let at = 0; at < word.length && key >= 0; at += 1) key = addLetter(key, word.charCodeAt(at));
  return key;
}
