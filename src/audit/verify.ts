/** Whether a log is as it was written: nothing changed, taken out, put in or moved; and, by an anchor, not shortened. */
import { isRecord } from "../base/json.ts";
import { firstHash, hashOf, lineOf, saidIn, type Line, type Link } from "./line.ts";
import { linesOf, type RawLine } from "./reading.ts";
import { startsWithLine } from "./tail.ts";

/** What was found at a line. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

export interface AuditVerification {
  readonly lines: number;
  readonly first: number | undefined;
  readonly last: Link | undefined;
  /** The first ones, and how many there are in all. */
  readonly problems: readonly Finding[];
  readonly problemCount: number;
  /** What is no damage: ends of killed processes, what a rotation has deleted. */
  readonly notes: readonly string[];
}

const most = 20;

/** @param anchor what is to stand there: see `anchorFrom` */
export async function verifyLog(file: string, anchor?: Link): Promise<AuditVerification> {
  const check = new Check(anchor);
  for await (const raw of linesOf(file)) check.line(raw);
  return check.end(file);
}

/** `SEQ.HASH`; undefined for what is none. */
export function anchorFrom(text: string): Link | undefined {
  const [, seq, hash = ""] = /^(\d{1,15})\.([\w-]{43})$/.exec(text.trim()) ?? [];
  return seq === undefined ? undefined : { seq: Number(seq), hash };
}

export function anchorText({ seq, hash }: Link): string {
  return `${seq}.${hash}`;
}

type Place = Pick<RawLine, "file" | "line">;

class Check {
  readonly #anchor: Link | undefined;
  readonly #problems: Finding[] = [];
  #problemCount = 0;
  readonly #notes: string[] = [];
  #lines = 0;
  #first: number | undefined;
  #last: Link | undefined;
  #lastPlace: Place | undefined;
  /** What is no line of ours, until it is known why. */
  #odd: RawLine | undefined;
  /** What came before it is unknown. */
  #isLost = false;
  /** What the first line was written after, unless it is the first of all. */
  #missing: Link | undefined;
  #isAnchorMet = false;

  constructor(anchor: Link | undefined) {
    this.#anchor = anchor;
  }

  line(raw: RawLine): void {
    this.#lines += 1;
    const line = lineOf(raw.bytes);
    if (line === undefined) {
      this.#noteOdd();
      this.#odd = raw;
      return;
    }
    const said = line.isIntact ? saidIn(raw.bytes) : undefined;
    this.#settleOdd(said);
    if (!line.isIntact) this.#problem(raw, "is not as it was written: it was changed");
    this.#follows(line, raw);
    if (said !== undefined) this.#heed(said, raw);
    if (!raw.isEnded) this.#note(`${nameOf(raw)} lacks its end: its process was killed while it wrote`);
    this.#lastPlace = raw;
    this.#meet(line);
  }

  end(file: string): AuditVerification {
    const odd = this.#odd;
    if (odd !== undefined && !odd.isEnded && !startsWithLine(odd.bytes)) {
      this.#note(`${nameOf(odd)}, the last one, is unfinished: its process was killed while it wrote`);
      this.#odd = undefined;
    }
    this.#noteOdd();
    this.#explainBeginning();
    this.#explainAnchor(file);
    return {
      lines: this.#lines,
      first: this.#first,
      last: this.#last,
      problems: this.#problems,
      problemCount: this.#problemCount,
      notes: this.#notes,
    };
  }

  /** What was torn is accounted for by the line after it. */
  #settleOdd(said: Readonly<Record<string, unknown>> | undefined): void {
    const odd = this.#odd;
    if (odd === undefined) return;
    const { hash } = said?.what === "log.torn" && isRecord(said.facts) ? said.facts : {};
    if (hash !== hashOf(odd.bytes)) return this.#noteOdd();
    this.#note(
      `${nameOf(odd)} is unfinished: its process was killed while it wrote; the line after it says so`,
    );
    this.#odd = undefined;
  }

  #noteOdd(): void {
    if (this.#odd === undefined) return;
    this.#problem(this.#odd, "is not as it was written: it was changed, or is none of the log's");
    this.#odd = undefined;
    this.#isLost = true;
  }

  #follows({ seq, prev, hash, isIntact }: Line, place: Place): void {
    const last = this.#last;
    this.#first ??= seq;
    if (last === undefined) {
      if (!this.#isLost && isIntact && (seq !== 1 || prev !== firstHash))
        this.#missing = { seq: seq - 1, hash: prev };
    } else if (!this.#isLost && isIntact) {
      const isIn = this.#inOrder({ seq, prev }, last, place);
      if (!isIn) return;
    }
    // The number of a line that was changed may be part of that.
    const number = isIntact || last === undefined ? seq : last.seq + 1;
    this.#isLost = false;
    this.#last = { seq: number, hash };
  }

  /** False for a line that does not belong there. */
  #inOrder({ seq, prev }: Pick<Line, "seq" | "prev">, last: Link, place: Place): boolean {
    if (seq <= last.seq) {
      this.#problem(place, `has number ${seq} after ${last.seq}: it was put in, or moved`);
      return false;
    }
    if (seq > last.seq + 1) {
      const isFile = place.file !== this.#lastPlace?.file;
      const which = `lines ${last.seq + 1} to ${seq - 1}`;
      this.#problem(
        place,
        isFile
          ? `${which} are missing before this file: a file was taken out, or its end`
          : `${which} are missing before it`,
      );
    } else if (prev !== last.hash) {
      this.#problem(
        this.#lastPlace ?? place,
        `is not the line after which line ${seq} was written: it was put in its place`,
      );
    }
    return true;
  }

  /** What the log says of itself. */
  #heed({ what, facts }: Readonly<Record<string, unknown>>, place: Place): void {
    if (!isRecord(facts)) return;
    const { droppedThrough, droppedHash, knewSeq, records } = facts;
    const missing = this.#missing;
    if (
      missing !== undefined &&
      what === "log.rotate" &&
      droppedThrough === missing.seq &&
      droppedHash === missing.hash
    ) {
      this.#note(`lines up to ${missing.seq} were deleted by a rotation, as ${nameOf(place)} says`);
      this.#missing = undefined;
    }
    if (what === "log.shortened")
      this.#problem(
        place,
        `says that the log was shortened before it: a process had written line ${String(knewSeq)}`,
      );
    if (what === "log.gap")
      this.#note(`records that could not be written before ${nameOf(place)}: ${String(records)}`);
  }

  #meet({ seq, hash, isIntact }: Line): void {
    if (seq !== this.#anchor?.seq || this.#isAnchorMet) return;
    this.#isAnchorMet = isIntact && hash === this.#anchor.hash;
  }

  #explainBeginning(): void {
    if (this.#missing === undefined || this.#first === undefined) return;
    const place = {
      file: "",
      line: 0,
      what: `lines 1 to ${this.#missing.seq} are missing, and no rotation says that it deleted them`,
    };
    this.#problemCount += 1;
    this.#problems.unshift(place);
  }

  #explainAnchor(file: string): void {
    const anchor = this.#anchor;
    if (anchor === undefined || this.#isAnchorMet) return;
    const last = this.#last?.seq ?? 0;
    const place = { file, line: 0 };
    if (anchor.seq > last)
      this.#problem(
        place,
        `ends with line ${last}, and the anchor is line ${anchor.seq}: it was shortened, or begun anew`,
      );
    else if (anchor.seq < (this.#first ?? 0))
      this.#problem(
        place,
        `has line ${anchor.seq}, the anchor, no more: a rotation deleted it; keep a newer anchor`,
      );
    else this.#problem(place, `has another line ${anchor.seq} than the anchor: it was written anew`);
  }

  #problem({ file, line }: Place, what: string): void {
    this.#problemCount += 1;
    if (this.#problems.length < most) this.#problems.push({ file, line, what });
  }

  #note(what: string): void {
    if (this.#notes.length < most) this.#notes.push(what);
  }
}

function nameOf({ file, line }: Place): string {
  return `line ${line} of ${file}`;
}
