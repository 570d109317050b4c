// Verifies a delivery by the library of Standard Webhooks, and by Node's own Ed25519.
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";
import { print } from "./tracker.js";

const { secret, publicKey, headers, file } = JSON.parse(process.argv[2]);
const body = readFileSync(file);

const x = Buffer.from(publicKey.replace("whpk_", ""), "base64").toString("base64url");
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
const content = Buffer.concat([
  Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
const signatures = headers["webhook-signature"].split(" ").map((text) => text.split(","));

print({
  v1: new Webhook(secret).verify(body.toString(), headers),
  v1a: signatures.filter(([version]) => version === "v1a")
    .map(([, text]) => verify(null, content, key, Buffer.from(text, "base64"))),
});
