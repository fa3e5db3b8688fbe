/** What the file system refuses is told alike by every store that lies in files. */
import { expect, it } from "vitest";
import { storeError } from "../../src/store/file/errors.ts";
import { asStoreError } from "../../src/store/sql/sqlite/errors.ts";

const told = {
  STORE_FULL: ["ENOSPC", "EDQUOT", "EFBIG"],
  STORE_READONLY: ["EACCES", "EPERM", "EROFS"],
  STORE_UNAVAILABLE: ["ENOENT", "ENOTDIR", "EEXIST", "EISDIR", "ELOOP", "ENAMETOOLONG", "EMFILE", "ENFILE"],
  STORE_FAILED: ["EIO"],
};

it.each(Object.entries(told).flatMap(([code, all]) => all.map((errno) => [errno, code])))(
  "%s is %s, in one line that says where and what to do",
  (errno, code) => {
    const error = Object.assign(new Error(`${errno}: no`), { code: errno });
    for (const as of [storeError(error, "/place"), asStoreError(error, "/place")])
      expect(as).toMatchObject({
        code,
        message: expect.stringMatching(/^[^\n]*\/place[^\n]*[;:] \w[^\n]*$/) as string,
      });
  },
);

it("what is no error of the file system stays what it is", () => {
  const error = new TypeError("ours");
  expect([storeError(error, "/place"), asStoreError(error, "/place")]).toEqual([error, error]);
});
