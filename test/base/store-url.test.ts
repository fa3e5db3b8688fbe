import { describe, expect, it } from "vitest";
import { layersOf, pathIn, splitStoreUrl, withPlaces } from "../../src/base/store-url.ts";

describe("a store's URL", () => {
  it("is split into its scheme, its place and its options", () => {
    const parts = splitStoreUrl("Module:./my-store.js?table=a/b&x=1");
    expect(parts).toMatchObject({ scheme: "module", place: "./my-store.js" });
    expect([...(parts?.options ?? [])]).toEqual([
      ["table", "a/b"],
      ["x", "1"],
    ]);
    expect(splitStoreUrl("postgres://me@h/db?schema=s")?.rest).toBe("//me@h/db?schema=s");
  });

  it.each(["", ":", "sqlite", "/tmp/s.db", "C:\\sessions.db", "1a:x", " sqlite:x"])("is not %j", (text) => {
    expect(splitStoreUrl(text)).toBeUndefined();
    expect(withPlaces(text, () => "elsewhere")).toBe(text);
  });

  it("names a path with all that follows, a question mark too", () => {
    const path = (url: string) => pathIn(splitStoreUrl(url)!, "sqlite:PATH");
    expect(["sqlite:a?b.db", "sqlite:/a.db", "sqlite:///a.db"].map(path)).toEqual([
      "a?b.db",
      "/a.db",
      "/a.db",
    ]);
    expect(() => path("sqlite:")).toThrow("names no path");
    expect(() => path("sqlite://host/a.db")).toThrow("names no path");
  });

  it("is given other places, in its layers too, and its options stay as they are", () => {
    const placed = (path: string) => `/p/${path}`;
    expect(withPlaces("module:m.js?dir=a//../b", placed)).toBe("module:/p/m.js?dir=a//../b");
    expect(withPlaces("sqlite:a?b.db", placed)).toBe("sqlite:/p/a?b.db");
    expect(withPlaces('layered:["cache:","file:d","redis://h"]', placed)).toBe(
      'layered:["cache:","file:/p/d","redis://h"]',
    );
    for (const url of ["memory:", "file:", "sqlite:///a.db", "layered:[", 'layered:["file:d",1]']) {
      expect(withPlaces(url, placed)).toBe(url);
    }
  });

  it("has layers that can be read, or none", () => {
    expect(layersOf('LAYERED:["cache:","file:d"]')).toEqual(["cache:", "file:d"]);
    expect(layersOf("cache:")).toBeUndefined();
    expect(layersOf("layered:{}")).toBeUndefined();
  });
});
