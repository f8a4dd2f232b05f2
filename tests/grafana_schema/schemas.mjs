// Prints the JSON Schemas of Grafana's types: of a dashboard, and of the options and field options of each panel named.
import { createGenerator } from "ts-json-schema-generator";

const types = new URL("node_modules/@grafana/schema/dist/types/", import.meta.url).pathname;
const made = {};

function make(name, path, type) {
  const config = { path: types + path, type, skipTypeCheck: true, additionalProperties: false };
  made[name] = createGenerator(config).createSchema(type);
}

make("dashboard", "raw/dashboard/x/types.gen.d.ts", "Dashboard");
for (const panel of process.argv.slice(2)) {
  const path = `raw/composable/${panel.replaceAll("-", "")}/panelcfg/x/types.gen.d.ts`;
  make(`${panel} Options`, path, "Options");
  make(`${panel} FieldConfig`, path, "FieldConfig");
}
process.stdout.write(JSON.stringify(made));
