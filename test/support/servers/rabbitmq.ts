import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  findFreePort,
  giveToServer,
  makeServerFolder,
  readLogs,
  removeServerFolder,
  startServerProcess,
  type TestServer,
} from "./server-process.ts";

export interface TestRabbitmq extends TestServer {
  /** Of AMQP; {@link TestRabbitmq.managementUrl} is where users are made. */
  readonly port: number;
  /** Such as `http://127.0.0.1:15672`, without a slash at the end. */
  readonly managementUrl: string;
  /** May do everything. */
  readonly adminUser: string;
  readonly adminPassword: string;
}

/** A RabbitMQ of its own with the management plug-in, a debug log and a log of all HTTP requests. */
export async function startRabbitmq(): Promise<TestRabbitmq> {
  const folder = makeServerFolder("rabbitmq");
  const port = await findFreePort();
  const [managementPort, distribution, names] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const config = join(folder, "rabbitmq.conf");
  const plugins = join(folder, "enabled_plugins");
  const requests = join(folder, "requests");
  writeFileSync(config, configText(port, managementPort, requests));
  writeFileSync(plugins, "[rabbitmq_management].\n");
  mkdirSync(requests);
  for (const path of [config, plugins, requests]) giveToServer(path);
  // Erlang's name server would start by itself, as a daemon that outlives us.
  const epmd = await startServerProcess(folder, {
    program: "epmd",
    args: ["-d", "-d", "-d", "-port", String(names), "-address", "127.0.0.1"],
    ready: /entering the main select\(\) loop/,
  });
  try {
    const server = await startServerProcess(folder, {
      program: "/usr/lib/rabbitmq/bin/rabbitmq-server",
      args: [],
      env: {
        ERL_EPMD_PORT: String(names),
        ERL_EPMD_ADDRESS: "127.0.0.1",
        // The script becomes the server, instead of standing beside it.
        RUNNING_UNDER_SYSTEMD: "true",
        RABBITMQ_NODENAME: `sealtree-test-${port}@localhost`,
        RABBITMQ_DIST_PORT: String(distribution),
        RABBITMQ_CONFIG_FILE: config,
        RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
        RABBITMQ_CONF_ENV_FILE: join(folder, "none"),
        RABBITMQ_MNESIA_BASE: join(folder, "data"),
        RABBITMQ_LOG_BASE: join(folder, "log"),
        RABBITMQ_LOGS: "-",
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
      },
      ready: /Server startup complete/,
      // Its orderly way down takes six seconds, and nothing of it is kept.
      signal: "SIGKILL",
    });
    return {
      host: "127.0.0.1",
      port,
      managementUrl: `http://127.0.0.1:${managementPort}`,
      adminUser: "test_admin",
      adminPassword: "test-admin-password",
      logText: () => [server.output(), readLogs(requests, "")].join("\n"),
      async stop() {
        await server.stop();
        await epmd.stop();
        removeServerFolder(folder);
      },
    };
  } catch (error) {
    await epmd.stop();
    removeServerFolder(folder);
    throw error;
  }
}

function configText(port: number, managementPort: number, requests: string): string {
  return `listeners.tcp.1 = 127.0.0.1:${port}
management.tcp.ip = 127.0.0.1
management.tcp.port = ${managementPort}
management.http_log_dir = ${requests}
default_user = test_admin
default_pass = test-admin-password
log.console = true
log.console.level = debug
log.file = false
`;
}
