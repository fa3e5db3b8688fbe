/**
 * Marks of the entries of a stretch: 32 bits of each, so that the one is found that is not what it was. Their number is
 * bounded: where there are many entries a mark stands for a group, and groups are twice as long each time it gets full.
 */
const most = 2048;
/** Odd, and so is half of what is before it: no two of a group can change places unnoticed. */
const factor = 0x9e3779b3;

export class ChainMarks {
  #marks: number[] = [];
  /** How many entries are in a group. */
  #group = 1;
  #count = 0;

  /** Those of a link over so many entries. */
  static of(text: string, count: number): ChainMarks {
    const marks = new ChainMarks();
    const bytes = Buffer.from(text, "base64url");
    for (let at = 0; at + 4 <= bytes.length; at += 4) marks.#marks.push(bytes.readUInt32LE(at));
    [marks.#group, marks.#count] = [groupOf(count), count];
    return marks;
  }

  /** Whether these are marks of so many entries. */
  static fit(text: string, count: number): boolean {
    const bytes = Math.ceil(count / groupOf(count)) * 4;
    return Number.isSafeInteger(count) && count > 0 && text.length === Math.ceil((bytes * 4) / 3);
  }

  get count(): number {
    return this.#count;
  }

  add(mark: number): void {
    let at = Math.floor(this.#count / this.#group);
    if (at === most) {
      this.#double();
      at = most / 2;
    }
    if (at === this.#marks.length) this.#marks.push(mark);
    else this.#marks[at] = joined(this.#marks[at] as number, 1, mark);
    this.#count += 1;
  }

  get text(): string {
    const bytes = Buffer.allocUnsafe(this.#marks.length * 4);
    for (let at = 0; at < this.#marks.length; at += 1) bytes.writeUInt32LE(this.#marks[at] as number, at * 4);
    return bytes.toString("base64url");
  }

  /**
   * The places, counted from 0, of the first group that differs. What must not be compared is passed over: `ignored`.
   * Both may be grouped anew.
   */
  firstOther(
    other: ChainMarks,
    ignored: (from: number, through: number) => boolean,
  ): { readonly from: number; readonly through: number } | undefined {
    while (this.#group < other.#group) this.#double();
    while (other.#group < this.#group) other.#double();
    const groups = Math.max(this.#marks.length, other.#marks.length);
    for (let at = 0; at < groups; at += 1) {
      if (this.#marks[at] === other.#marks[at]) continue;
      const from = at * this.#group;
      const through = from + this.#group - 1;
      if (!ignored(from, through)) return { from, through };
    }
    return undefined;
  }

  #double(): void {
    const doubled: number[] = [];
    for (let at = 0; at < this.#marks.length; at += 2) {
      const second = this.#marks[at + 1];
      const inSecond = Math.min(this.#group, this.#count - (at + 1) * this.#group);
      const first = this.#marks[at] as number;
      doubled.push(second === undefined ? first : joined(first, inSecond, second));
    }
    this.#marks = doubled;
    this.#group *= 2;
  }
}

/** So many entries have one mark where there are so many. */
function groupOf(count: number): number {
  let group = 1;
  while (Math.ceil(count / group) > most) group *= 2;
  return group;
}

/** The mark of a group and of so many entries behind it: their order counts. */
function joined(group: number, entries: number, next: number): number {
  let mark = group;
  // By squares: as if it were multiplied by the factor once for each entry.
  for (let [left, power] = [entries, factor]; left > 0; left >>>= 1, power = Math.imul(power, power))
    if (left % 2 === 1) mark = Math.imul(mark, power);
  return (mark + next) >>> 0;
}
