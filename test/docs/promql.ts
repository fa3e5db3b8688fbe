/**
 * Reads the expressions of Prometheus that our pages have, and no others: what is not of this grammar fails. It says which series
 * they ask for. https://prometheus.io/docs/prometheus/latest/querying/basics/
 */

export interface Selector {
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly op: string; readonly value: string }[];
  /** What stands in its brackets, if it has a range. */
  readonly range?: string;
  /** Labels by which it is put together. */
  readonly by: readonly string[];
}

/** Functions, and what they take: a range of samples, or samples of one moment. */
const functions: Readonly<Record<string, readonly ("range" | "instant" | "number")[]>> = {
  rate: ["range"],
  increase: ["range"],
  histogram_quantile: ["number", "instant"],
};
const aggregations = new Set(["sum", "max", "min", "avg"]);
const binary = [["or"], ["and", "unless"], ["==", "!=", "<=", ">=", "<", ">"], ["+", "-"], ["*", "/", "%"]];
const token =
  /\s*(?:(\d+(?:\.\d+)?)|([a-zA-Z_:][\w:]*)|("(?:[^"\\]|\\.)*")|(\[[^\]]*\])|(==|!=|<=|>=|=~|!~|[-+*/%(){},<>=]))/y;
const range = /^\[(?:\d+[smhdw]|\$__rate_interval)\]$/;

type Kind = "range" | "instant" | "number";

/** Errors: for what is no expression of these. */
export function selectorsIn(text: string): readonly Selector[] {
  return new Reader(text).whole();
}

class Reader {
  readonly #tokens: string[] = [];
  readonly #found: Selector[] = [];
  #at = 0;
  #by: readonly string[] = [];

  constructor(text: string) {
    token.lastIndex = 0;
    for (let end = 0; end < text.trimEnd().length; end = token.lastIndex) {
      const found = token.exec(text)?.[0].trim();
      if (found === undefined) throw new Error(`cannot be read: ${text.slice(end)}`);
      this.#tokens.push(found);
    }
  }

  whole(): readonly Selector[] {
    if (this.#expression(0) === "range") throw new Error("a range is no result");
    if (this.#at < this.#tokens.length)
      throw new Error(`too much: ${this.#tokens.slice(this.#at).join(" ")}`);
    return this.#found;
  }

  #expression(level: number): Kind {
    if (level === binary.length) return this.#unit();
    let kind = this.#expression(level + 1);
    while (binary[level]?.includes(this.#peek())) {
      this.#next();
      const other = this.#expression(level + 1);
      if (kind === "range" || other === "range") throw new Error("a range cannot be calculated with");
      kind = kind === "number" && other === "number" ? "number" : "instant";
    }
    return kind;
  }

  #unit(): Kind {
    const word = this.#next();
    if (/^\d/.test(word)) return "number";
    if (word === "(") {
      const kind = this.#expression(0);
      this.#expect(")");
      return kind;
    }
    if (aggregations.has(word)) return this.#aggregation();
    if (this.#peek() === "(") return this.#call(word);
    return this.#selector(word);
  }

  #aggregation(): Kind {
    const before = this.#by;
    if (this.#peek() === "by") {
      this.#next();
      this.#by = [...before, ...this.#names()];
    }
    this.#expect("(");
    if (this.#expression(0) !== "instant") throw new Error("only samples of one moment are put together");
    this.#expect(")");
    this.#by = before;
    return "instant";
  }

  #call(name: string): Kind {
    const takes = functions[name];
    if (takes === undefined) throw new Error(`there is no function ${name} here`);
    this.#expect("(");
    for (const [at, kind] of takes.entries()) {
      if (at > 0) this.#expect(",");
      if (this.#expression(0) !== kind) throw new Error(`${name} takes ${kind} as its argument ${at + 1}`);
    }
    this.#expect(")");
    return "instant";
  }

  #names(): string[] {
    const names: string[] = [];
    this.#expect("(");
    for (let end = ","; end === ","; end = this.#next()) names.push(this.#next());
    if (this.#tokens[this.#at - 1] !== ")") throw new Error("by has no end");
    return names;
  }

  #selector(name: string): Kind {
    if (!/^[a-zA-Z_:]/.test(name)) throw new Error(`not a name: ${name}`);
    const matchers: { label: string; op: string; value: string }[] = [];
    if (this.#peek() === "{") {
      for (let end = this.#next(); end !== "}"; end = this.#next()) {
        const [label, op, value] = [this.#next(), this.#next(), this.#next()];
        if (!["=", "!=", "=~", "!~"].includes(op) || !value.startsWith('"'))
          throw new Error(`a bad matcher of ${name}`);
        matchers.push({ label, op, value: JSON.parse(value) as string });
        if (![",", "}"].includes(this.#peek())) throw new Error(`labels of ${name} have no end`);
      }
    }
    const within = this.#peek().startsWith("[") ? this.#next() : undefined;
    if (within !== undefined && !range.test(within)) throw new Error(`a bad range of ${name}: ${within}`);
    this.#found.push({ name, matchers, by: this.#by, ...(within !== undefined && { range: within }) });
    return within === undefined ? "instant" : "range";
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #next(): string {
    const next = this.#peek();
    if (next === "") throw new Error("it ends too early");
    this.#at += 1;
    return next;
  }

  #expect(what: string): void {
    const found = this.#next();
    if (found !== what) throw new Error(`${what} is missing before ${found}`);
  }
}
