import { expect, it } from "vitest";
import { targets } from "./moves";

const ids = ["a", "b", "c", "d"];

it("puts a run before the right one", () => {
  expect(targets(ids, 2, 4)).toEqual({ front: "a", up: "b", down: null, back: null });
  expect(targets(ids, 1, 4)).toEqual({ front: "a", up: "a", down: "d", back: null });
});

it("goes no further than the ends", () => {
  expect(targets(ids, 0, 4)).toMatchObject({ front: undefined, up: undefined, down: "c" });
  expect(targets(ids, 3, 4)).toMatchObject({ down: undefined, back: undefined, up: "c" });
  expect(Object.values(targets(["a"], 0, 1))).toEqual([undefined, undefined, undefined, undefined]);
});

it("does not guess who stands beyond the list's end", () => {
  expect(targets(ids, 2, 9)).toMatchObject({ down: undefined, back: null });
});
