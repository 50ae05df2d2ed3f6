import { describe, expect, it } from "vitest";
import { toYaml } from "./yaml";

describe("toYaml", () => {
  it("writes maps, lists, numbers and null", () => {
    const config = {
      model: { name: "org/model-1B", revision: null, lora: { modules: ["q_proj", "v"] } },
      lr: 2e-7,
      on: true,
    };
    expect(toYaml(config)).toBe(
      "model:\n  name: org/model-1B\n  revision: null\n  lora:\n    modules: [q_proj, v]\nlr: 2.0e-7\non: true\n",
    );
  });

  it("quotes what YAML would read as something else", () => {
    expect(toYaml({ a: "true", b: "12", c: "x: y", d: "", e: "no" })).toBe(
      'a: "true"\nb: "12"\nc: "x: y"\nd: ""\ne: "no"\n',
    );
  });

  it("writes texts of several lines as blocks", () => {
    expect(toYaml({ t: "{prompt}\n\nThen {demonstration}" })).toBe(
      "t: |-\n  {prompt}\n\n  Then {demonstration}\n",
    );
    expect(toYaml({ t: "a\nb\n" })).toBe("t: |\n  a\n  b\n");
    expect(toYaml({ t: "  a\nb" })).toBe('t: "  a\\nb"\n');
  });
});
