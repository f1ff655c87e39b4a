import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { rolldown } from "rolldown";
import { interleave, timeOf } from "./measure.js";

const batch = 1000;
const place = { scope: "prod/api", name: "API_KEY", purpose: "value" };
const header = { generation: "00".repeat(16), valueId: "00".repeat(8), createdAt: 1_800_000_000 };

/**
 * Rows of sealing and opening one value of 32 bytes and of 4 KiB, each against a plain AES-256-GCM
 * operation on as many bytes. Milliseconds are of 1000 operations.
 */
export async function benchSeal({ rounds }) {
  const { sealRecord, openRecord } = await loadSource("src/crypto/record.ts");
  const { Secret } = await loadSource("src/secret/secret.ts");
  const dek = randomBytes(32);
  const rows = [];
  for (const size of [32, 4096]) {
    const value = randomBytes(size);
    const secret = Secret.of(value, "binary");
    const record = sealRecord(dek, place, header, secret, randomBytes);
    const sealed = sealPlain(dek, value);
    const times = interleave(
      {
        sealPlain: () => repeat(() => sealPlain(dek, value)),
        openPlain: () => repeat(() => openPlain(dek, sealed)),
        seal: () => repeat(() => sealRecord(dek, place, header, secret, randomBytes)),
        open: () => repeat(() => openRecord(dek, place, record)),
      },
      rounds,
    );
    for (const work of ["seal", "open"]) {
      const base = times.get(`${work}Plain`).medianMs;
      rows.push({ what: `${work} 1000 values of ${size} bytes`, ...times.get(work), baseMs: base });
    }
  }
  return rows;
}

function repeat(work) {
  return timeOf(() => {
    for (let done = 0; done < batch; done += 1) work();
  });
}

function sealPlain(key, value) {
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  return { nonce, body: Buffer.concat([cipher.update(value), cipher.final()]), tag: cipher.getAuthTag() };
}

function openPlain(key, { nonce, body, tag }) {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: 16 });
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(body), decipher.final()]);
}

/** A module of src, bundled so that every supported Node can import it. */
async function loadSource(path) {
  const folder = mkdtempSync(join(tmpdir(), "sealtree-bench-source-"));
  const build = await rolldown({ input: fileURLToPath(new URL(`../${path}`, import.meta.url)), platform: "node" });
  try {
    const { output } = await build.generate({ format: "esm" });
    writeFileSync(join(folder, "source.mjs"), output[0].code);
    return await import(pathToFileURL(join(folder, "source.mjs")).href);
  } finally {
    await build.close();
    rmSync(folder, { recursive: true });
  }
}
