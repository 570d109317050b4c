// PostGraphile on one schema of one database: node server.mjs URL SCHEMA
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";

const [url, schema] = process.argv.slice(2);
const server = createServer();
const served = postgraphile({
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ connectionString: url, schemas: [schema] })],
  grafserv: { watch: false, graphiql: false },
  grafast: { explain: false },
}).createServ(grafserv);
await served.addTo(server);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
