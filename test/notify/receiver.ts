/** A server that is told things, as somebody would run one. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";

export interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface TestReceiver extends AsyncDisposable {
  readonly url: string;
  readonly got: readonly Got[];
  /** Settles when so many have come. */
  count(many: number): Promise<readonly Got[]>;
}

/** @param answer what it answers to each, in their order; 204 after those */
export async function receiver(
  ...answers: readonly (number | ((response: ServerResponse) => void))[]
): Promise<TestReceiver> {
  const got: Got[] = [];
  const waiting = new Set<() => void>();
  const server = createServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => (text += part));
    request.on("end", () => {
      const answer = answers[got.length] ?? 204;
      got.push({
        path: request.url ?? "",
        headers: request.headers,
        body: JSON.parse(text) as Got["body"],
      });
      if (typeof answer === "function") answer(response);
      else response.writeHead(answer).end();
      for (const look of waiting) look();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    got,
    count: (many) =>
      new Promise((resolve) => {
        const look = () => {
          if (got.length < many) return;
          waiting.delete(look);
          resolve(got);
        };
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
