#!/usr/bin/env node
// A rotator for a server that lets in whoever has a token whose SHA-256 is in a JSON file:
//
//   {"tokens": ["e3b0c442...", "..."]}
//
// docs/rotators/exec.md is about how to write one. This one is a chosen value with overlap: several
// tokens may be in the file. Its rule gives it settings: {file: /etc/example/tokens.json}.
import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";

// Exit codes: what is to be done about a failure.
const exits = { rejected: 10, auth: 11, limit: 12, transient: 20, unknown: 30 };
const maxTokens = 16;

const steps = {
  // Looks whether a rotation can work. Changes nothing.
  preflight({ settings }) {
    const { tokens } = readTokens(settings.file);
    if (tokens.length >= maxTokens) throw new Failure("limit");
    // Writing what is there already shows whether we may.
    writeTokens(settings.file, tokens);
    return { remarks: [`${tokens.length} tokens are let in now`] };
  },
  // Twice is the same as once.
  apply({ settings, credential }) {
    const { tokens } = readTokens(settings.file);
    const hash = hashOf(credential.value);
    if (!tokens.includes(hash)) writeTokens(settings.file, [...tokens, hash]);
    return {};
  },
  // What is there decides, and not what we remember.
  probe({ settings, credential }) {
    const { tokens } = readTokens(settings.file);
    return { liveness: tokens.includes(hashOf(credential.value)) ? "live" : "dead" };
  },
  // One that is gone already is a success. Touches no other.
  revoke({ settings, credential }) {
    const { tokens } = readTokens(settings.file);
    const hash = hashOf(credential.value);
    const rest = tokens.filter((other) => other !== hash);
    if (rest.length < tokens.length) writeTokens(settings.file, rest);
    return {};
  },
};

/** Why a step ends without an answer. */
class Failure extends Error {}

try {
  const input = JSON.parse(readFileSync(0, "utf8"));
  const step = steps[input.step];
  if (input.sealtree !== 1 || step === undefined) throw new Failure("auth");
  process.stdout.write(JSON.stringify(step(input)));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.exitCode = exits[error.message];
}

function hashOf(value) {
  return createHash("sha256").update(value).digest("hex");
}

function readTokens(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Failure(error.code === "EACCES" ? "auth" : "transient");
  }
}

// A rename, so that the server reads the old file or the new one, and nothing between.
function writeTokens(file, tokens) {
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify({ tokens })}\n`);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new Failure(["EACCES", "EPERM", "EROFS"].includes(error.code) ? "auth" : "unknown");
  }
}
