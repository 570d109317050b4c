// Checks files of receipts as the page of one of them does, and prints the failing checks of each.
// Run with a JSON file that has the files in base64, the page, and the data of the server.

import { readFileSync } from "node:fs";
import { NotChecked, toBytes } from "./static/bytes.js";
import { checkReceipt } from "./static/receipt_checks.js";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));

async function read(path) {
  if (!(path in told.served)) throw new NotChecked(`${path} did not come`);
  return toBytes(told.served[path]);
}

const found = {};
for (const [name, { file, page }] of Object.entries(told.files)) {
  const outcomes = await checkReceipt(new Uint8Array(Buffer.from(file, "base64")), read, page ?? told.page);
  found[name] = {
    failed: Object.keys(outcomes).filter((check) => outcomes[check].state === "failed"),
    key: outcomes.signature.result,
  };
}
console.log(JSON.stringify(found));
