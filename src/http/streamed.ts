/** Answers that are written while they are made: whoever reads slowly slows down what makes them. */
import { pipeline, Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { responseOf, takesGzip } from "./response.ts";

/**
 * The first piece is waited for, so that what is refused is told as a problem. What fails later breaks the connection
 * off: the answer is not taken for a whole one.
 */
export async function streamed(
  request: Request,
  pieces: AsyncIterable<string>,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const iterator = pieces[Symbol.asyncIterator]();
  const first = await iterator.next();
  const source = Readable.from(from(first, iterator), { objectMode: false, highWaterMark: 1 << 16 });
  const plain = { ...headers, "cache-control": "no-store" };
  if (!takesGzip(request)) return responseOf(webStreamOf(source), 200, plain);
  const zip = createGzip();
  // Whoever goes away ends both; what fails in the source breaks off what is read of it.
  pipeline(source, zip, () => undefined);
  return responseOf(webStreamOf(zip), 200, {
    ...plain,
    "content-encoding": "gzip",
    vary: "accept-encoding",
  });
}

async function* from(first: IteratorResult<string>, rest: AsyncIterator<string>): AsyncGenerator<string> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

function webStreamOf(stream: Readable): ReadableStream<Uint8Array> {
  return Readable.toWeb(stream) as ReadableStream<Uint8Array>;
}
