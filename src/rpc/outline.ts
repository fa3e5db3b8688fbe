/**
 * What a message says that is too long to be held: its first levels, read as it passes. Linear in its bytes, and
 * nothing is kept of what is deeper or long.
 */

/** Levels of objects whose members are read: a message, its params, an update. */
const maxLevels = 3;
/** Names and values are kept up to this length. */
const maxTokenBytes = 200;

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Members by name; a value that is not kept is undefined. */
export type OutlineFields = Readonly<Record<string, unknown>>;

export class Outline {
  /** The objects that are open, outermost first; beyond them `#deeper` more levels are. */
  readonly #open: Record<string, unknown>[] = [];
  #root: OutlineFields = {};
  #deeper = 0;
  #key: string | undefined;
  /** What has come of a name or value. */
  #token: number[] = [];
  #isString = false;
  /** The last bytes of a string were backslashes, an odd number of them. */
  #isEscape = false;

  /** The message as far as it has come. */
  get fields(): OutlineFields {
    return this.#root;
  }

  add(part: Buffer): void {
    for (let at = 0; at < part.length;)
      at = this.#isString ? this.#inString(part, at) : this.#outside(part, at);
  }

  /** Reads on in a string, to its end if that is here. Returns where to go on. */
  #inString(part: Buffer, from: number): number {
    const found = part.indexOf(quote, from);
    const end = found < 0 ? part.length : found;
    let escapes = end;
    while (escapes > from && part[escapes - 1] === backslash) escapes -= 1;
    const isOdd = (end - escapes) % 2 === 1;
    const isEscape = escapes === from && this.#isEscape ? !isOdd : isOdd;
    for (let at = from; at < end && this.#isWanted; at += 1) this.#token.push(part[at] ?? 0);
    this.#isEscape = found < 0 && isEscape;
    if (found < 0) return end;
    if (this.#isWanted) this.#token.push(quote);
    this.#isString = isEscape;
    return end + 1;
  }

  /** Reads on to the next string. */
  #outside(part: Buffer, from: number): number {
    for (let at = from; at < part.length; at += 1) {
      const byte = part[at] ?? 0;
      if (byte === quote) {
        if (this.#isWanted) this.#token.push(quote);
        this.#isString = true;
        return at + 1;
      }
      if (byte === openBrace || byte === openBracket) this.#enter(byte === openBrace);
      else if (byte === closeBrace || byte === closeBracket) this.#leave();
      else if (this.#deeper > 0 || byte <= 0x20) continue;
      else if (byte === comma) this.#endValue();
      else if (byte === colon) this.#endKey();
      else if (this.#isWanted) this.#token.push(byte);
    }
    return part.length;
  }

  get #isWanted(): boolean {
    return this.#deeper === 0 && this.#token.length <= maxTokenBytes;
  }

  #enter(isObject: boolean): void {
    const parent = this.#open.at(-1);
    if (this.#deeper > 0 || !isObject || this.#open.length === maxLevels) {
      this.#deeper += 1;
      return;
    }
    const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    if (parent === undefined) this.#root = object;
    else if (this.#key !== undefined) parent[this.#key] = object;
    this.#key = undefined;
    this.#open.push(object);
  }

  #leave(): void {
    if (this.#deeper > 0) this.#deeper -= 1;
    else {
      this.#endValue();
      this.#open.pop();
    }
  }

  #endKey(): void {
    const name = this.#value();
    this.#key = typeof name === "string" ? name : undefined;
    const object = this.#open.at(-1);
    if (object !== undefined && this.#key !== undefined) object[this.#key] = undefined;
  }

  #endValue(): void {
    const value = this.#value();
    const object = this.#open.at(-1);
    if (object !== undefined && this.#key !== undefined && value !== undefined) object[this.#key] = value;
    this.#key = undefined;
  }

  /** What the token says; undefined when it is too long, or none. */
  #value(): unknown {
    const token = this.#token;
    this.#token = [];
    if (token.length === 0 || token.length > maxTokenBytes) return undefined;
    try {
      return JSON.parse(Buffer.from(token).toString("utf8"));
    } catch {
      return undefined;
    }
  }
}
