// Holds the fields of pages against entries, and prints what is not the same.

import { readFileSync } from "node:fs";
import { compareFields } from "./static/entry_fields.js";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));
const compared = told.map(({ entry, fields, texts }) => {
  const { wrong, missing } = compareFields(fields, entry, new Map(Object.entries(texts)));
  return { wrong, missing };
});
console.log(JSON.stringify(compared));
