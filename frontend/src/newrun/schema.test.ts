import { describe, expect, it } from "vitest";
import { allFields, type FieldModel, formModel } from "./schema";

const SCHEMA = {
  $defs: {
    Lora: {
      description: "From the definition.",
      properties: {
        rank: { type: "integer", default: 8, minimum: 1, maximum: 512, unit: "dimensions" },
        targets: { type: "array", items: { type: "string" }, default: ["q"], advanced: true },
      },
    },
    Clipping: {
      description: "Bounds the divergence.",
      properties: {
        enabled: { type: "boolean", default: false },
        ceiling: { type: "number", default: 10 },
      },
    },
    Model: {
      description: "A model.",
      required: ["name"],
      properties: {
        name: { type: "string", maxLength: 500, unit: "-" },
        dtype: { type: "string", enum: ["auto", "float32"], default: "auto" },
        limit: {
          anyOf: [{ type: "integer", minimum: 1, maximum: 1e8 }, { type: "null" }],
          default: null,
        },
        ratio: { type: "number", minimum: 0, exclusiveMaximum: 1, default: 0.1 },
        template: { type: "string", maxLength: 20000, default: "{prompt}" },
        shuffle: { type: "boolean", default: true },
        lora: { $ref: "#/$defs/Lora", description: "The adapter here.", advanced: false },
        clipping: { $ref: "#/$defs/Clipping", description: "Clipping." },
      },
    },
  },
  properties: {
    version: { const: 1, type: "integer", default: 1 },
    model: { $ref: "#/$defs/Model", description: "What to adapt." },
  },
};

describe("formModel", () => {
  const sections = formModel(SCHEMA);
  const fields = allFields(sections);
  const field = (path: string): FieldModel => {
    const found = fields.find((item) => item.path === path);
    if (!found) throw new Error(path);
    return found;
  };

  it("makes a section of every part, and nothing of the version", () => {
    expect(sections.map((section) => section.path)).toEqual(["model"]);
    expect(sections[0]?.groups.map((group) => group.path)).toEqual([
      "model.lora",
      "model.clipping",
    ]);
  });

  it("prefers what stands at the place over the definition", () => {
    expect(sections[0]?.description).toBe("What to adapt.");
    expect(sections[0]?.groups[0]?.description).toBe("The adapter here.");
  });

  it("reads kinds, defaults, units and what may be empty", () => {
    expect(field("model.name")).toMatchObject({
      kind: "text",
      required: true,
      unit: "",
      title: "Model",
    });
    expect(field("model.dtype")).toMatchObject({ kind: "choice", options: ["auto", "float32"] });
    expect(field("model.limit")).toMatchObject({ kind: "integer", nullable: true, fallback: null });
    expect(field("model.template").kind).toBe("longtext");
    expect(field("model.shuffle").kind).toBe("boolean");
    expect(field("model.lora.rank")).toMatchObject({ unit: "dimensions", title: "Rank" });
    expect(field("model.lora.targets")).toMatchObject({ kind: "list", advanced: true });
  });

  it("takes a mechanism's switch out of its fields", () => {
    const [lora, clipping] = sections[0]?.groups ?? [];
    expect(lora?.toggle).toBeNull();
    expect(clipping?.toggle?.path).toBe("model.clipping.enabled");
    expect(clipping?.fields.map((item) => item.path)).toEqual(["model.clipping.ceiling"]);
    expect(clipping?.description).toBe("Bounds the divergence.");
    expect(field("model.clipping.enabled").title).toBe("Clipping");
  });

  it("tells bounds in words", () => {
    expect(field("model.lora.rank").bounds).toBe("1–512");
    expect(field("model.limit").bounds).toBe("from 1");
    expect(field("model.ratio").bounds).toBe("0, below 1");
  });
});
