// GitHub's calls for the secrets of an organisation, as far as a deploy makes them. Keeps names and
// times, prints its port on the first line, and counts writes at /writes. Ends with its standard input.
import { createServer } from "node:http";

const secrets = new Map();
const pageSize = 100;
/** A point of Curve25519 that nobody has the key of. */
const publicKey = Buffer.alloc(32, 9).toString("base64");
let writes = 0;

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const answer = (status, body, headers = {}) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  };
  const name = /^\/orgs\/acme\/actions\/secrets\/([A-Z0-9_]+)$/.exec(url.pathname)?.[1];
  request.resume().on("end", () => {
    if (url.pathname === "/writes") answer(200, writes);
    else if (url.pathname.endsWith("/public-key")) answer(200, { key_id: "1", key: publicKey });
    else if (url.pathname === "/orgs/acme/actions/secrets") answer(200, ...list(url));
    else if (name !== undefined && request.method === "PUT") {
      writes += 1;
      const isNew = !secrets.has(name);
      secrets.set(name, { name, updated_at: "2026-03-01T02:00:00Z", visibility: "all" });
      answer(isNew ? 201 : 204);
    } else if (name !== undefined && secrets.has(name)) answer(200, secrets.get(name));
    else answer(404, { message: "Not Found" });
  });
});

function list(url) {
  const page = Number(url.searchParams.get("page") ?? 1);
  const all = [...secrets.values()];
  const body = { total_count: all.length, secrets: all.slice((page - 1) * pageSize, page * pageSize) };
  if (page * pageSize >= all.length) return [body];
  const next = new URL(url);
  next.searchParams.set("page", String(page + 1));
  return [
    body,
    { link: `<http://${server.address().address}:${server.address().port}${next.pathname}${next.search}>; rel="next"` },
  ];
}

server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
process.stdin.resume().on("end", () => {
  server.close();
  server.closeAllConnections();
});
