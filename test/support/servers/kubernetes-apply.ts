import { spawn } from "node:child_process";
import { once } from "node:events";

export interface TestKubernetesApply {
  readonly url: string;
  /** Changes a Secret as somebody else does with `kubectl edit`: gets it, changes it, puts it back. */
  edit(namespace: string, name: string, change: (secret: EditedSecret) => void): Promise<void>;
  find(namespace: string, name: string): Promise<EditedSecret | undefined>;
  /** Ends it, by its process id. Ending it twice is fine. */
  stop(): Promise<void>;
}

export interface EditedSecret {
  readonly metadata: Record<string, unknown> & { annotations?: Record<string, string>; managedFields?: unknown };
  data?: Record<string, string>;
}

/** Kubernetes' own code for server-side apply behind a small server: test/support/servers/kubernetes-apply. */
export async function startKubernetesApply(): Promise<TestKubernetesApply> {
  const child = spawn("setpriv", ["--pdeathsig=KILL", "--", "kubernetes-apply"], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "close");
  let text = "";
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const [, address] = /^listening on (\S+)$/m.exec(text) ?? [];
        if (address !== undefined) resolve(`http://${address}`);
      });
    }
    child.once("error", reject);
    void ended.then(() => reject(new Error(`kubernetes-apply ended before it was ready\n${text}`)));
  });

  const at = (namespace: string, name: string) => `${url}/api/v1/namespaces/${namespace}/secrets/${name}`;
  async function find(namespace: string, name: string): Promise<EditedSecret | undefined> {
    const answer = await fetch(at(namespace, name));
    return answer.ok ? ((await answer.json()) as EditedSecret) : undefined;
  }
  return {
    url,
    find,
    async edit(namespace, name, change) {
      const secret = (await find(namespace, name)) ?? { metadata: { name, namespace } };
      change(secret);
      const body = JSON.stringify({ apiVersion: "v1", kind: "Secret", type: "Opaque", ...secret });
      const answer = await fetch(`${at(namespace, name)}?fieldManager=kubectl-edit`, { method: "PUT", body });
      if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    },
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
