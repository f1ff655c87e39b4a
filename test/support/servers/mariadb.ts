import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findFreePort,
  giveToServer,
  makeCertificate,
  makeServerFolder,
  readLogs,
  removeServerFolder,
  runForServer,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

export interface TestMariadb extends TestServer {
  /** May do everything. */
  readonly adminUser: string;
  readonly adminPassword: string;
  /** Of the certificate that it shows to who asks for TLS, which names 127.0.0.1 and localhost. */
  readonly caPem: string;
}

/** A MariaDB of its own with the general log and a slow log of every statement. */
export async function startMariadb(): Promise<TestMariadb> {
  const folder = makeServerFolder("mariadb");
  try {
    const [port, data] = [await findFreePort(), join(folder, "data")];
    const { key, certificate, pem } = await makeCertificate(folder);
    mkdirSync(data);
    giveToServer(data);
    const install = [
      "--no-defaults",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
    ];
    await runForServer("mariadb-install-db", install, folder);
    const first = join(folder, "first.sql");
    writeFileSync(first, firstStatements);
    giveToServer(first);
    const server = await startServerProcess(folder, {
      program: "mariadbd",
      args: [
        "--no-defaults",
        `--datadir=${data}`,
        `--init-file=${first}`,
        "--bind-address=127.0.0.1",
        `--port=${port}`,
        `--socket=${join(folder, "socket")}`,
        `--pid-file=${join(folder, "pid")}`,
        `--ssl-cert=${certificate}`,
        `--ssl-key=${key}`,
        "--innodb-flush-log-at-trx-commit=0",
        "--general-log=1",
        `--general-log-file=${join(folder, "general.log")}`,
        "--slow-query-log=1",
        "--long-query-time=0",
        `--slow-query-log-file=${join(folder, "slow.log")}`,
        "--log-warnings=9",
      ],
      ready: /ready for connections/,
    });
    return {
      host: "127.0.0.1",
      port,
      adminUser: "test_admin",
      adminPassword: "test-admin-password",
      caPem: pem,
      logText: () => [server.output(), readLogs(folder, ".log")].join("\n"),
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

const firstStatements = `CREATE USER 'test_admin'@'%' IDENTIFIED BY 'test-admin-password';
GRANT ALL ON *.* TO 'test_admin'@'%' WITH GRANT OPTION;
`;
