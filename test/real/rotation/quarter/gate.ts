import { createServer, request as send } from "node:http";
import type { AddressInfo } from "node:net";

/** A door before a service on this machine, which can be closed. */
export interface Gate {
  readonly url: string;
  /** False: everything is answered with 503. */
  isOpen: boolean;
  stop(): Promise<void>;
}

/** Opens one before the service at `target`, an address without a path. */
export async function openGate(target: string): Promise<Gate> {
  const http = createServer((incoming, response) => {
    if (!gate.isOpen) {
      incoming.resume();
      response.writeHead(503).end();
      return;
    }
    const { method, headers, url = "/" } = incoming;
    const onward = send(new URL(url, target), { method, headers: { ...headers, connection: "close" } }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => incoming.socket.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const gate: Gate = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    isOpen: true,
    async stop() {
      const closed = new Promise((resolve) => http.close(resolve));
      http.closeAllConnections();
      await closed;
    },
  };
  return gate;
}
