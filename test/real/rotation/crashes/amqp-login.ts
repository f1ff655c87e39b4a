import { connect } from "node:net";

const [connection, start, tune, close] = [10, 10, 30, 50];
const accessRefused = 403;

/**
 * Whether RabbitMQ lets a program in over AMQP 0-9-1 with a user and a password: the answer to
 * Connection.Start-Ok is Connection.Tune, or Connection.Close with 403. Throws for any other.
 */
export async function isLetInByAmqp(port: number, user: string, password: string): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    return await new Promise((resolve, reject) => {
      let bytes = Buffer.alloc(0);
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("RabbitMQ ended the connection without an answer")));
      socket.on("data", (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        for (let frame = takeFrame(bytes); frame !== undefined; frame = takeFrame(bytes)) {
          bytes = bytes.subarray(frame.length);
          const { payload } = frame;
          const method = payload.readUInt16BE(0) === connection ? payload.readUInt16BE(2) : 0;
          if (method === start) socket.write(printStartOk(user, password));
          else if (method === tune) resolve(true);
          else if (method === close && payload.readUInt16BE(4) === accessRefused) resolve(false);
          else reject(new Error("RabbitMQ answered what this test does not know"));
        }
      });
      socket.write("AMQP\u0000\u0000\u0009\u0001", "latin1");
    });
  } finally {
    socket.destroy();
  }
}

/** The first whole frame: type, channel, length, payload, 0xce. */
function takeFrame(bytes: Buffer): { readonly payload: Buffer; readonly length: number } | undefined {
  if (bytes.length < 7) return undefined;
  const length = 7 + bytes.readUInt32BE(3) + 1;
  return bytes.length < length ? undefined : { payload: bytes.subarray(7, length - 1), length };
}

function printStartOk(user: string, password: string): Buffer {
  // Without this capability a refusal is a connection that ends without a word.
  const capability = Buffer.concat([short("authentication_failure_close"), Buffer.from("t\u0001", "latin1")]);
  const properties = Buffer.concat([short("capabilities"), Buffer.from("F"), long(capability)]);
  const response = Buffer.from(`\u0000${user}\u0000${password}`);
  const method = Buffer.from([0, connection, 0, 11]);
  const payload = Buffer.concat([method, long(properties), short("PLAIN"), long(response), short("en_US")]);
  return Buffer.concat([Buffer.from([1, 0, 0]), long(payload), Buffer.from([0xce])]);
}

function short(text: string): Buffer {
  return Buffer.concat([Buffer.from([text.length]), Buffer.from(text)]);
}

function long(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
