import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findFreePort,
  giveToServer,
  makeCertificate,
  makeServerFolder,
  removeServerFolder,
  runForServer,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

export interface TestPostgres extends TestServer {
  /** A superuser. */
  readonly adminUser: string;
  readonly adminPassword: string;
  readonly database: "postgres";
  /** Of the certificate that it shows to who asks for TLS, which names 127.0.0.1 and localhost. */
  readonly caPem: string;
}

export interface PostgresOptions {
  /** More settings, such as `password_encryption=md5`. */
  readonly settings?: readonly string[];
  /** How it asks who connects from this machine; SCRAM passwords when left out. */
  readonly hba?: "scram-sha-256" | "md5" | "trust";
}

/** A PostgreSQL of its own that logs every statement, at debug level 5. Loopback asks for SCRAM passwords. */
export async function startPostgres({ settings: own = [], hba }: PostgresOptions = {}): Promise<TestPostgres> {
  const folder = makeServerFolder("postgres");
  try {
    const [port, programs, data] = [await findFreePort(), findPrograms(), join(folder, "data")];
    const { key, certificate, pem } = await makeCertificate(folder);
    const passwordFile = join(folder, "password");
    writeFileSync(passwordFile, "test-admin-password\n", { mode: 0o600 });
    giveToServer(passwordFile);
    const kept = [
      `--auth=${hba ?? "scram-sha-256"}`,
      `--pwfile=${passwordFile}`,
      "--encoding=UTF8",
      "--locale=C",
      "--no-sync",
    ];
    await runForServer(join(programs, "initdb"), [`--pgdata=${data}`, "--username=test_admin", ...kept], folder);
    const settings = [
      `port=${port}`,
      "listen_addresses=127.0.0.1",
      `unix_socket_directories=${folder}`,
      "fsync=off",
      "ssl=on",
      `ssl_cert_file=${certificate}`,
      `ssl_key_file=${key}`,
      ...verbose,
      ...own,
    ];
    const server = await startServerProcess(folder, {
      program: join(programs, "postgres"),
      args: ["-D", data, ...settings.flatMap((setting) => ["-c", setting])],
      ready: /database system is ready to accept connections/,
      signal: "SIGINT",
    });
    return {
      host: "127.0.0.1",
      port,
      database: "postgres",
      adminUser: "test_admin",
      adminPassword: "test-admin-password",
      caPem: pem,
      logText: () => server.output(),
      async stop() {
        await server.stop();
        removeServerFolder(folder);
      },
    };
  } catch (error) {
    removeServerFolder(folder);
    throw error;
  }
}

const verbose = [
  "log_statement=all",
  "log_min_duration_statement=0",
  "log_min_messages=debug5",
  "log_min_error_statement=debug5",
  "log_error_verbosity=verbose",
  "log_parameter_max_length=-1",
  "log_parameter_max_length_on_error=-1",
  "log_connections=on",
  "log_disconnections=on",
  "debug_print_parse=on",
  "debug_print_rewritten=on",
  "debug_print_plan=on",
];

/** Debian keeps the programs of each major version in a folder of its own, out of PATH. */
function findPrograms(): string {
  const root = "/usr/lib/postgresql";
  const newest = readdirSync(root)
    .toSorted((a, b) => Number(a) - Number(b))
    .at(-1);
  if (newest === undefined) throw new Error("PostgreSQL is not there; run npm run setup:real");
  return join(root, newest, "bin");
}
