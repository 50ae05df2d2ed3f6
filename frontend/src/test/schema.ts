/** The configuration's JSON schema, as the committed API document holds it. */
import { readFileSync } from "node:fs";

const document: unknown = JSON.parse(
  readFileSync("openapi.json", "utf8").replaceAll("#/components/schemas/", "#/$defs/"),
);
const $defs = (document as { components: { schemas: Record<string, object> } }).components.schemas;

export const schema = { ...$defs.RunConfig, $defs };
