import { expect, it } from "vitest";
import { piecesOf } from "../../src/http/body.ts";

it("who goes away while they send is refused, and nobody's failure is looked for", async () => {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(Buffer.from('{"cwd":'));
      setImmediate(() => controller.error(Object.assign(new Error("aborted"), { code: "ECONNRESET" })));
    },
  });
  const request = new Request("http://127.0.0.1/", { method: "POST", body, duplex: "half" });
  const read = async () => {
    for await (const _ of piecesOf(request)) continue;
  };
  await expect(read()).rejects.toMatchObject({ status: 400, code: "INVALID_REQUEST" });
});
