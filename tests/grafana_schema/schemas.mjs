// Prints the JSON Schemas of Grafana's types: of a dashboard, of the options and field options of each panel named, and of
// a map with what its layers are drawn by.
import { createGenerator } from "ts-json-schema-generator";

const modules = new URL("node_modules/@grafana/", import.meta.url).pathname;
const types = modules + "schema/dist/types/raw/";
// The types of the map in @grafana/schema name a type that is defined twice there; those of the foundation SDK do not.
const published = modules + "grafana-foundation-sdk/dist/";
const made = {};

function make(name, path, type) {
  made[name] = createGenerator({ path, type, skipTypeCheck: true, additionalProperties: false }).createSchema(type);
}

make("dashboard", types + "dashboard/x/types.gen.d.ts", "Dashboard");
for (const panel of process.argv.slice(2)) {
  const path = types + `composable/${panel.replaceAll("-", "")}/panelcfg/x/types.gen.d.ts`;
  make(`${panel} Options`, path, "Options");
  make(`${panel} FieldConfig`, path, "FieldConfig");
}
make("geomap Options", published + "geomap/types.gen.d.ts", "Options");
make("geomap view", published + "geomap/types.gen.d.ts", "MapCenterID");
for (const part of ["Color", "Resource", "Scale", "Text"]) {
  make(`geomap ${part}`, published + "common/types.gen.d.ts", `${part}DimensionConfig`);
}
process.stdout.write(JSON.stringify(made));
