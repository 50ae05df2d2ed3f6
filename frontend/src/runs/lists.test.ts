import { describe, expect, it } from "vitest";
import type { RunStatus } from "../api/types";
import { joinList, splitList } from "../lib/search";
import { fieldOf, headLabel, metricField, metricOf } from "./fields";
import { chips, readFilter, writeFilter } from "./filters";
import { type Group, grouped, lineAt, lineCount, pagesOf, plain } from "./layout";
import { added, NOTHING, type Pick, toggled, without } from "./selection";
import { openGroups, shownOf, wantedOf, writeOpen } from "./view";

const group = (value: string, count: number): Group => ({
  value,
  label: value,
  count,
  states: { succeeded: count } as Record<RunStatus, number>,
  metrics: {},
});

describe("lines", () => {
  it("are pages of a hundred runs without groups", () => {
    const segments = plain(250);
    expect(lineCount(segments)).toBe(250);
    expect(lineAt(segments, 249)).toMatchObject({ kind: "run", offset: 249 });
    expect(lineAt(segments, 250)).toBeNull();
    expect(pagesOf(segments, 95, 105).map(({ page }) => page)).toEqual([0, 1]);
  });

  it("are heads, and the runs of those that are open", () => {
    const segments = grouped("seed", [group("1", 2), group("2", 3)], new Set(["2"]));
    expect(lineCount(segments)).toBe(5);
    expect(lineAt(segments, 0)).toMatchObject({ kind: "group", open: false });
    expect(lineAt(segments, 1)).toMatchObject({ kind: "group", open: true });
    expect(lineAt(segments, 4)).toMatchObject({ kind: "run", offset: 2 });
    expect(pagesOf(segments, 0, 4)).toEqual([{ filter: "seed=2", page: 0 }]);
  });
});

describe("filters", () => {
  it.each(["seed=42", "metric:train/loss@min<=0.5", "name!~a=b", "worker="])(
    "%s is read",
    (one) => {
      const filter = readFilter(one);
      expect(filter && writeFilter(filter)).toBe(one);
    },
  );

  it("of one field are alternatives in one chip", () => {
    const found = chips(["tag=paper", "seed>1", "tag="]);
    expect(found.map(({ words }) => words)).toEqual(["Tag is paper or none", "Seed > 1"]);
    expect(found[0]?.written).toEqual(["tag=paper", "tag="]);
  });
});

describe("an address", () => {
  it("holds texts with any sign", () => {
    const texts = ["a;b", "c\\", ""];
    expect(splitList(joinList(texts))).toEqual(texts);
    expect(openGroups({ open: writeOpen(["", "x;y"]) })).toEqual(new Set(["", "x;y"]));
  });

  it("becomes a question to the server", () => {
    const search = { q: "a", status: "failed,crashed", filter: "seed=1;tag=x" };
    expect(wantedOf(search, "p")).toEqual({
      project_id: "p",
      q: "a",
      status: ["failed", "crashed"],
      filter: ["seed=1", "tag=x"],
    });
    expect(shownOf(["name", "metric:l@min", "metric:l", "param:a.b"])).toEqual({
      metric: ["l"],
      param: ["a.b"],
    });
  });
});

describe("fields", () => {
  it("tell a metric's extremes from its path", () => {
    expect(metricOf("metric:a@b@max")).toEqual({ path: "a@b", which: "max" });
    expect(metricOf(metricField("x@min").id)).toEqual({ path: "x@min", which: "last" });
    expect(fieldOf("nothing")).toBeUndefined();
  });

  it("show the end of a long path", () => {
    expect(headLabel(metricField("train/loss"))).toBe("train/loss");
    expect(headLabel(metricField("train/part/value_07"))).toBe("…value_07");
  });
});

it("toggles what is picked: all of it, or none", () => {
  const pick = (id: string) => ({ id }) as Pick;
  const both = toggled(added(NOTHING, [pick("a")]), [pick("a"), pick("b")]);
  expect([...both.keys()]).toEqual(["a", "b"]);
  expect(toggled(both, [pick("a"), pick("b")]).size).toBe(0);
  expect([...without(both, ["a"]).keys()]).toEqual(["b"]);
});
