// node controls.mjs http://127.0.0.1:8000 2025-11-20 gallium
import { Tracker } from "critical-minerals-policy-tracker-client";

const [url, validAt, commodity] = process.argv.slice(2);
const day = new Tracker(url).asOf(validAt);
for await (const control of day.exportControls({ commodity, status: "SUSPENDED" })) {
  console.log(control.key, "·", control.title);
  for (const clause of control.clauses) console.log("   ", clause.key, clause.statusStatement);
}
const check = await day.shipment({ commodity, origin: "CN", destination: "US" });
console.log(check.summary);
const table = await day.table("clauses", { commodity, status: "IN_FORCE" });
console.log(table.rows.length, "clauses in force;", table.about.completeness);
console.log("position", (await day.moment()).position);
